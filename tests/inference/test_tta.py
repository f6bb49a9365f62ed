"""Versions of an image: where their pixels come from, and that their results are turned back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unet_exp.inference.tta import Rotated, Turned, transformed_images

#: All eight ways to lay a sheet with the letters a to f on it, drawn by hand.
SHEETS = {
    (0, False): ["abc", "def"],
    (1, False): ["cf", "be", "ad"],
    (2, False): ["fed", "cba"],
    (3, False): ["da", "eb", "fc"],
    (0, True): ["cba", "fed"],
    (1, True): ["fc", "eb", "da"],
    (2, True): ["def", "abc"],
    (3, True): ["ad", "be", "cf"],
}


def letters(rows: list[str]) -> np.ndarray:
    return np.array([[ord(letter) for letter in row] for row in rows], np.float32)[None]


@pytest.mark.parametrize("way", SHEETS)
def test_the_eight_orientations_of_a_small_image(way: tuple[int, bool]) -> None:
    sheet = letters(SHEETS[way])
    _, height, width = sheet.shape
    seen = Turned(letters(SHEETS[0, False]), *way).window((0, height), (0, width))
    np.testing.assert_array_equal(seen, sheet)


def test_dihedral_gives_all_eight_orientations() -> None:
    found = transformed_images("dihedral", letters(SHEETS[0, False]))
    assert {(v.quarter_turns, v.flip) for v in found if isinstance(v, Turned)} == set(SHEETS)


sides = st.integers(1, 9)


@settings(max_examples=60, deadline=None)
@given(
    way=st.sampled_from(list(SHEETS)), height=sides, width=sides, rows=sides, columns=sides,
    top=st.integers(0, 8), left=st.integers(0, 8),
)  # fmt: skip
def test_a_turned_footprint_shows_its_region_and_comes_back(
    way: tuple[int, bool], height: int, width: int, rows: int, columns: int, top: int, left: int
) -> None:
    image = np.arange(height * width, dtype=np.float32).reshape(1, height, width)
    region = (top % height, top % height + rows), (left % width, left % width + columns)
    view = Turned(image, *way)
    back = view.restored(view.window(*view.footprint(*region)), *region)
    # Beyond the image it goes on mirrored, as numpy does it.
    mirrored = np.pad(image, [(0, 0), (0, 20), (0, 20)], mode="reflect")
    expected = mirrored[:, slice(*region[0]), slice(*region[1])]
    np.testing.assert_array_equal(back, expected)


def test_a_rotation_by_a_right_angle_is_a_turn() -> None:
    image = np.random.default_rng(0).random((2, 9, 9), np.float32)
    turned = Turned(image, 1).window((0, 9), (0, 9))
    np.testing.assert_allclose(
        Rotated(image, np.pi / 2).window((-4, 5), (-4, 5)), turned, atol=1e-5
    )


@pytest.mark.parametrize("tta", ["dihedral", "rotations"])
def test_the_matrix_leads_back_into_the_image(tta: str) -> None:
    places = np.indices((30, 30), np.float32)
    for transformed in transformed_images(tta, places):
        rows, columns = ((-3, 4), (-3, 4)) if isinstance(transformed, Rotated) else ((10, 17),) * 2
        shown = transformed.window(rows, columns)
        down, right = (shown[:, 6, 3] - shown[:, 0, 3]) / 6, (shown[:, 3, 6] - shown[:, 3, 0]) / 6
        np.testing.assert_allclose(transformed.matrix, np.stack([down, right], 1), atol=0.02)


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / 8
    return (np.sin(x) * np.cos(y / 2) + 0.2 * x).astype(np.float32)[None]


@pytest.mark.parametrize("number", range(1, 7))
def test_a_rotated_image_comes_back_but_for_interpolation(number: int) -> None:
    image = smooth(40, 56)
    view = transformed_images("rotations", image)[number]
    region = (5, 35), (6, 50)
    back = view.restored(view.window(*view.footprint(*region)), *region)
    np.testing.assert_allclose(back, image[:, 5:35, 6:50], atol=0.02)
    assert np.abs(view.window((-15, 15), (-15, 15)) - image[:, 5:35, 13:43]).max() > 0.5


def test_how_an_image_is_cut_does_not_matter_to_a_rotated_one() -> None:
    image = smooth(30, 30)
    view = Rotated(image, 0.7)
    whole = view.restored(view.window(*view.footprint((0, 30), (0, 30))), (0, 30), (0, 30))
    for region in (((0, 11), (0, 30)), ((11, 30), (7, 19))):
        part = view.restored(view.window(*view.footprint(*region)), *region)
        rows, columns = region
        np.testing.assert_allclose(part, whole[:, slice(*rows), slice(*columns)], atol=1e-6)


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tta=all is unknown. Choose one of none, rotations"):
        transformed_images("all", np.zeros((1, 2, 2)))
