import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unet_exp.pictures.colours import (
    ERRORS,
    PALETTE,
    alike,
    coloured,
    errors,
    hatched,
    merged_and_split,
    outlines,
    picture,
    resized,
    stretched,
    tinted,
)


def rows(*texts: str) -> np.ndarray:
    return np.array([[-1 if c == "?" else 0 if c == "." else int(c) for c in t] for t in texts])


def black(labels: np.ndarray) -> np.ndarray:
    return np.zeros((*labels.shape, 3), np.uint8)


def shares(canvas: np.ndarray, name: str) -> np.ndarray:
    """Return where a canvas that was black shows this colour, at any opacity."""
    colour = np.array(ERRORS[name])
    ratio = canvas[..., colour > 0] / colour[colour > 0]
    none_else = (canvas[..., colour == 0] == 0).all(-1)
    return none_else & (ratio.min(-1) > 0.1) & (ratio.max(-1) - ratio.min(-1) < 0.03)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_any_type_and_range_uses_all_shades(dtype: type) -> None:
    values = (np.arange(100).reshape(10, 10) * 2).astype(dtype)
    shades = stretched(values)
    assert shades.min() == 0
    assert shades.max() == 255


def test_one_hot_pixel_does_not_darken_the_rest() -> None:
    values = np.random.default_rng(0).random((64, 64), np.float32)
    values[0, 0] = 1e6
    assert stretched(values).std() > 60


def test_values_that_are_not_finite_and_constant_images() -> None:
    values = np.array([[np.nan, np.inf, 1.0, 2.0]])
    assert stretched(values)[0, :2].tolist() == [0, 0]
    assert stretched(np.full((2, 2), 7)).tolist() == [[128, 128], [128, 128]]
    assert stretched(np.full((2, 2), np.nan)).max() == 0


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None)
def test_resized_samples_only_what_is_there(h: int, w: int, height: int, width: int) -> None:
    labels = np.arange(h * w).reshape(h, w)
    found = resized(labels, height, width)
    assert found.shape == (height, width)
    assert set(found.ravel()) <= set(labels.ravel())
    assert (np.diff(found, axis=1) >= 0).all()


def test_shrinking_an_image_takes_means() -> None:
    grid = np.indices((8, 8)).sum(0) % 2
    assert resized(grid.astype(np.float32), 4, 4).tolist() == [[0.5] * 4] * 4


@pytest.mark.parametrize(("channels", "grey"), [(1, True), (2, True), (3, False), (5, False)])
def test_channels(channels: int, grey: bool) -> None:
    image = np.random.default_rng(0).random((channels, 6, 7))
    shown = picture(image, 6, 7)
    assert (shown[..., 0] == shown[..., 1]).all() == grey
    assert (shown[..., 0] == stretched(image[0].astype(np.float32))).all()


def test_colours_of_neighbouring_numbers_differ_also_in_grey() -> None:
    assert len(np.unique(PALETTE, axis=0)) == 16
    luminance = PALETTE @ np.array([0.2126, 0.7152, 0.0722])
    following = np.append(luminance, luminance[0])
    assert np.abs(np.diff(following)).min() > 8


def test_outlines_are_inside_objects_on_all_sides() -> None:
    labels = rows(".....", ".111.", ".111.", ".111.", "...22")
    expected = rows(".....", ".111.", ".1.1.", ".111.", "...11")
    assert (outlines(labels) == (expected > 0)).all()


def test_a_tiny_object_has_its_colour_and_no_outline() -> None:
    labels = np.zeros((9, 12), int)
    labels[1, 1:6], labels[3:8, 3:8], labels[8, 11] = 1, 2, 3
    shown = coloured(np.full((9, 12, 3), 100, np.uint8), labels)
    assert (shown[1, 1:6] == PALETTE[0]).all()
    assert (shown[8, 11] == PALETTE[2]).all()
    edge = outlines(labels) & (labels == 2)
    assert (shown[edge] == shown[3, 3]).all()
    assert (shown[3, 3] > 200).all()
    assert np.abs(shown[5, 5] - (40 + PALETTE[1] * 0.6)).max() <= 1


def test_large_numbers_cost_nothing() -> None:
    labels = np.array([[0, 2**40, 2**40]])
    assert (coloured(np.zeros((1, 3, 3), np.uint8), labels)[0, 0] == 0).all()


def test_coloured_leaves_background_and_hatches_unknown() -> None:
    labels = rows("111..???") * np.ones((8, 1), int)
    canvas = np.full((8, 8, 3), 100, np.uint8)
    shown = coloured(canvas, labels)
    assert (shown[:, 3:5] == 100).all()
    assert (shown[:, :3] != 100).any(-1).all()
    assert len(np.unique(shown[:, 5:].reshape(-1, 3), axis=0)) == 2
    assert (canvas == 100).all(), "the canvas itself was painted"


def test_tint_is_a_mean() -> None:
    shown = tinted(np.full((1, 2, 3), 100, np.uint8), np.array([[True, False]]), (200, 0, 100), 0.5)
    assert shown.tolist() == [[[150, 50, 100], [100, 100, 100]]]


def test_hatching_nothing_changes_nothing() -> None:
    canvas = np.full((4, 4, 3), 9, np.uint8)
    assert (hatched(canvas, np.zeros((4, 4), bool)) == canvas).all()


def test_alike_gives_the_number_of_the_best_partner() -> None:
    labels, prediction = rows("1112222.33"), rows("5555566677")
    renumbered = alike(prediction, labels)
    # 5 shows 1 best (3 pixels against 2), 6 shows 2 (2 of its 3 pixels), 7 shows 3.
    assert renumbered.tolist() == [[1, 1, 1, 1, 1, 2, 2, 2, 3, 3]]


def test_alike_gives_others_new_numbers() -> None:
    labels, prediction = rows("111111.?"), rows("55566.77")
    renumbered = alike(prediction, labels)
    assert renumbered[0, 0] == 1
    assert renumbered[0, 3] > 1
    assert renumbered[0, 6] > 1
    assert len(set(renumbered.ravel())) == len(set(prediction.ravel()))
    assert alike(rows("..."), rows("1..")).max() == 0


def test_errors_hand_drawn() -> None:
    labels = rows("11.22.33333.44..?")
    prediction = rows("1111..55.88..6..7")
    shown, colours = errors(black(labels), prediction, labels)
    # 1 is found with a false pixel and half of 2; 3 is split; half of 4 is missed.
    assert shares(shown, "found")[0].nonzero()[0].tolist() == [0, 1, 3, 13]
    assert shares(shown, "missed")[0].nonzero()[0].tolist() == [4, 8, 12]
    assert shares(shown, "false")[0].nonzero()[0].tolist() == [2]
    assert shown[0, 16].std() == 0, "unknown is not grey"
    assert list(colours) == ["found", "merged", "split", "missed", "false", "unknown"]


def test_a_merger_and_a_split() -> None:
    labels, prediction = rows("111.222", "3333333"), rows("5555555", "677.888")
    merged, split = merged_and_split(prediction, labels)
    assert merged.tolist() == [[True] * 7, [False] * 7]
    assert split.tolist() == [[False] * 7, [True] * 7]
    shown, colours = errors(black(labels), prediction, labels)
    assert shares(shown, "merged")[0].tolist() == (labels[0] > 0).tolist()
    assert shares(shown, "split")[1].tolist() == (prediction[1] > 0).tolist()
    assert "unknown" not in colours


def test_half_an_object_is_no_part_of_a_merger() -> None:
    merged, split = merged_and_split(rows("5555.."), rows("111222"))
    assert not merged.any()
    assert not split.any()
    nothing = merged_and_split(rows("..."), rows("..."))
    assert not np.array(nothing).any()


def test_errors_by_class() -> None:
    labels, prediction = rows("1122..?"), rows("1.1211.")
    shown, colours = errors(black(labels), prediction, labels, by_class=True)
    assert shares(shown, "found")[0].nonzero()[0].tolist() == [0, 3]
    assert shares(shown, "other class")[0].nonzero()[0].tolist() == [2]
    assert shares(shown, "missed")[0].nonzero()[0].tolist() == [1]
    assert shares(shown, "false")[0].nonzero()[0].tolist() == [4, 5]
    assert list(colours) == ["found", "other class", "missed", "false", "unknown"]
