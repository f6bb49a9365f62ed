"""Label files in which 0 is white: drawn by hand, and read in one way for the whole data set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from unet_exp.datasets.folder import Folder
from unet_exp.datasets.labels.files import read_label_files, read_labels
from unet_exp.datasets.labels.white_is_zero import WhiteIsZero

MASK = np.zeros((20, 31), np.uint8)
MASK[3:9, 4:10] = 1
THREE = MASK.copy()
THREE[12:16, 3:9], THREE[2:7, 20:28] = 2, 3


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unet_exp.images.display._warned", set())


def read(
    folder: Path, stored: Sequence[np.ndarray], way: str = "auto", black: Sequence[int] = ()
) -> list[np.ndarray]:
    """Write label files, all with white zeros but those numbered by ``black``, and read them."""
    paths = []
    for number, array in enumerate(stored):
        paths.append(folder / f"{number}.tif")
        photometric = "minisblack" if number in black else "miniswhite"
        tifffile.imwrite(paths[-1], array, photometric=photometric, metadata=None, software="x")
    return [page for pages in read_label_files(paths, WhiteIsZero(way)).values() for page in pages]


@pytest.mark.parametrize("order", [[MASK, THREE], [THREE, MASK]])
@pytest.mark.parametrize("black", [(), (0,), (1,)])
def test_numbers_of_objects_are_kept_though_a_file_holds_one(
    tmp_path: Path,
    order: list[np.ndarray],
    black: tuple[int, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for way in ("auto", "keep"):
        for found, expected in zip(read(tmp_path, order, way, black), order, strict=True):
            assert_array_equal(found, expected)
    assert "they are numbers rather than shades" in caplog.text
    assert "min_is_white=invert" not in caplog.text.splitlines()[0]
    with pytest.raises(ValueError, match=r"cannot be inverted: they hold 4 .*min_is_white=keep"):
        read(tmp_path, order, "invert", black)


@pytest.mark.parametrize("way", ["auto", "invert"])
@pytest.mark.parametrize(
    ("dtype", "top"),
    [(np.uint8, 1), (np.uint8, 255), (np.uint8, 7), (np.uint16, 65535), (np.int8, 1)]
    + [(kind, top) for kind in (np.float32, np.float64) for top in (1, 255)],
)
def test_masks_are_exchanged_the_empty_and_the_full_one_too(
    tmp_path: Path, dtype: type, top: int, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    inside = [MASK, MASK * 0, MASK * 0 + 1]
    stored = [(1 - mask).astype(dtype) * dtype(top) for mask in inside]
    for found, expected in zip(read(tmp_path, stored, way), inside, strict=True):
        assert_array_equal(found > 0, expected > 0)
        assert set(np.unique(found)) <= {0, top}
    assert caplog.text.count("inside and outside are exchanged") == 1
    assert "dataset.min_is_white=keep" in caplog.text
    for found, expected in zip(read(tmp_path, stored, "keep"), stored, strict=True):
        assert_array_equal(found, expected)


def test_masks_of_two_programs_are_all_exchanged(tmp_path: Path) -> None:
    stored = [1 - MASK, (1 - MASK) * 255, MASK * 0 + 1, MASK * 255]
    ones, tops, empty, black = read(tmp_path, stored, black=(3,))
    assert_array_equal(ones, MASK)
    assert_array_equal(tops, MASK * 255)
    assert_array_equal(empty, MASK * 0)
    assert_array_equal(black, MASK * 255)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [(MASK * 0 + 1, 0), (MASK * 0 + 255, 0), (MASK * 0, 255)],
    ids=["ones", "white", "black"],
)
def test_a_single_file_of_one_value(tmp_path: Path, stored: np.ndarray, expected: int) -> None:
    assert_array_equal(read(tmp_path, [stored])[0], MASK * 0 + expected)


def test_pages_of_a_stack_are_read_alike(tmp_path: Path) -> None:
    inside = np.stack([MASK, MASK * 0, MASK * 0 + 1])
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, (1 - inside) * 255, photometric="miniswhite", metadata=None)
    assert_array_equal(read_labels(path), inside * 255)


@pytest.mark.parametrize("way", ["auto", "invert"])
def test_shades_without_a_0_are_inverted(tmp_path: Path, way: str) -> None:
    assert_array_equal(read(tmp_path, [255 - THREE], way)[0], THREE)
    assert_array_equal(read(tmp_path, [65535 - THREE.astype(np.uint16)], way)[0], THREE)
    assert_array_equal(read(tmp_path, [255 - THREE], "keep")[0], 255 - THREE)


def test_shades_from_0_to_white_are_inverted_where_this_is_asked_for(tmp_path: Path) -> None:
    stored = np.where(THREE == 3, 0, np.where(THREE > 0, 128, 255)).astype(np.uint8)
    assert_array_equal(read(tmp_path, [stored])[0], stored)
    by_hand = np.where(THREE == 3, 255, np.where(THREE > 0, 127, 0))
    assert_array_equal(read(tmp_path, [stored], "invert")[0], by_hand)


def test_negative_numbers_stay_unknown(tmp_path: Path) -> None:
    stored = (1 - MASK).astype(np.int16)
    stored[0, 0] = -1
    expected = MASK.astype(np.int16)
    expected[0, 0] = -1
    assert_array_equal(read(tmp_path, [stored])[0], expected)


def test_fractions_that_are_no_mask_are_refused_to_be_inverted(tmp_path: Path) -> None:
    assert_array_equal(read(tmp_path, [THREE.astype(np.float32)])[0], THREE)
    with pytest.raises(ValueError, match=r"0\.tif, cannot be inverted"):
        read(tmp_path, [THREE.astype(np.float32)], "invert")


def data_set(root: Path, stored: Sequence[np.ndarray], split: str = ".") -> None:
    for number, labels in enumerate(stored):
        for kind, array in (("images", MASK + np.uint8(number)), ("labels", labels)):
            path = root / split / kind / f"{number}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            photometric = "miniswhite" if kind == "labels" else "minisblack"
            tifffile.imwrite(path, array, photometric=photometric, metadata=None, software="x")


def test_a_data_set_of_one_and_of_three_objects_keeps_their_numbers(tmp_path: Path) -> None:
    data_set(tmp_path, [MASK, THREE, MASK, THREE])
    held = Folder(str(tmp_path))
    samples = [*held.split("train"), *held.split("validation")]
    for sample in samples:
        assert_array_equal(sample.labels, THREE if int(sample.name) % 2 else MASK)


def test_labels_of_the_test_split_are_not_read_otherwise(tmp_path: Path) -> None:
    data_set(tmp_path, [1 - MASK] * 2)
    data_set(tmp_path, [THREE], "test")
    held = Folder(str(tmp_path))
    with pytest.raises(ValueError, match="would be kept, and those that were read before are exch"):
        held.split("test")
