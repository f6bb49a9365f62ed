"""Images look as in other programs. Pillow represents those."""

import logging
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.datasets.folder import Folder
from unet_exp.datasets.labels.files import read_labels
from unet_exp.images.image_file import open_image
from unet_exp.images.reading import read_images

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 255, (20, 31)).astype(np.uint8)
RGB = RNG.integers(0, 255, (20, 31, 3)).astype(np.uint8)
MASK = np.zeros((20, 31), bool)
MASK[3:9, 4:10] = True


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unet_exp.images.display._warned", set())


@pytest.mark.parametrize("stored", [GREY, RGB], ids=["grey", "colours"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_read_as_pillow_shows_it(
    tmp_path: Path, stored: np.ndarray, orientation: int
) -> None:
    image_module = pytest.importorskip("PIL.Image")
    path = tmp_path / "a.tif"
    extra = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(
        path, stored, compression="zlib", rowsperstrip=7, extratags=extra, resolution=(2, 3)
    )
    expected = np.atleast_3d(np.asarray(image_module.open(path))).transpose(2, 0, 1)
    for in_memory in (2**27, 0):
        with open_image(path, in_memory=in_memory) as opened:
            (page,) = opened.pages
            assert page.shape == expected.shape
            assert_array_equal(page[:, :, :], expected)
            assert_array_equal(page[:, 2:9, 3:15], expected[:, 2:9, 3:15])
            across = opened.tags.resolution
    assert across == (((3, 1), (2, 1)) if orientation > 4 else ((2, 1), (3, 1)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_png_is_read_as_pillow_shows_it(
    tmp_path: Path, orientation: int
) -> None:
    image_module = pytest.importorskip("PIL.Image")
    turn = pytest.importorskip("PIL.ImageOps").exif_transpose
    picture = image_module.fromarray(RGB)
    exif = picture.getexif()
    exif[274] = orientation
    picture.save(tmp_path / "a.png", exif=exif)
    expected = np.asarray(turn(image_module.open(tmp_path / "a.png")))
    assert_array_equal(read_pages(tmp_path / "a.png")[0], np.moveaxis(expected, 2, 0))


def test_an_orientation_is_logged_once_for_a_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a.tif", "b.tif"):
        tifffile.imwrite(tmp_path / name, GREY, extratags=[(274, 3, 1, 6, True)])
        read_pages(tmp_path / name)
    assert caplog.text.count("Orientation is 6") == 1


def test_pages_that_lie_in_different_ways_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for turned in (1, 6, 1):
            file.write(
                np.zeros((9, 9), np.uint8), metadata=None, contiguous=False,
                extratags=[(274, 3, 1, turned, True)],
            )  # fmt: skip
    with pytest.raises(ValueError, match=r"a\.tif cannot be read .*differ in Orientation"):
        read_pages(tmp_path / "a.tif")


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_images_in_which_zero_is_white_are_inverted(
    tmp_path: Path, dtype: type, top: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, (top - GREY.astype(np.int64)).astype(dtype), photometric="miniswhite")
    assert_array_equal(read_pages(path)[0, 0], GREY)
    with caplog.at_level(logging.WARNING):
        read_images(path)
    assert "0 is white" in caplog.text
    assert "inverted" in caplog.text
    assert "dataset.min_is_white=keep" in caplog.text
    assert_array_equal(read_pages(path, min_is_white="keep")[0, 0], top - GREY.astype(np.int64))


def test_floats_in_which_zero_is_white_are_inverted_too(tmp_path: Path) -> None:
    values = RNG.random((20, 31)).astype(np.float32)
    tifffile.imwrite(tmp_path / "white.tif", values, photometric="miniswhite")
    tifffile.imwrite(tmp_path / "black.tif", -values, photometric="minisblack")
    white, black = (read_images(tmp_path / f"{name}.tif")[0] for name in ("white", "black"))
    np.testing.assert_allclose(white, black, atol=1e-6)


@pytest.mark.parametrize("stored", [MASK, GREY], ids=["one bit", "eight bits"])
def test_what_pillow_writes_with_white_zeros_is_what_pillow_shows(
    tmp_path: Path, stored: np.ndarray
) -> None:
    image_module = pytest.importorskip("PIL.Image")
    path = tmp_path / "a.tif"
    image_module.fromarray(stored).save(path, tiffinfo={262: 0})
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].aspage().photometric == 0
    expected = np.asarray(image_module.open(path))
    assert_array_equal(expected, stored)
    assert_array_equal(read_pages(path)[0, 0], expected)


def test_masks_of_one_bit_in_which_zero_is_white_are_white_objects(tmp_path: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    path = tmp_path / "a.tif"
    image_module.fromarray(MASK).save(path, tiffinfo={262: 0})
    assert_array_equal(tifffile.imread(path), ~MASK)  # the bits in the file
    assert_array_equal(read_labels(path)[0], MASK)
    assert_array_equal(read_labels(path, min_is_white="keep")[0], ~MASK)


def test_masks_of_eight_bits_in_which_zero_is_white_are_white_objects(tmp_path: Path) -> None:
    stored = np.where(MASK, 0, 255).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite")
    assert_array_equal(read_labels(tmp_path / "a.tif")[0], MASK * 255)


def test_masks_that_fiji_shows_inverted_hold_255_for_objects(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored = (MASK * 255).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite", imagej=True)
    assert_array_equal(read_labels(tmp_path / "a.tif")[0], stored)
    assert "as ImageJ means them" in caplog.text
    assert_array_equal(read_pages(tmp_path / "a.tif")[0, 0], stored)
    assert_array_equal(read_labels(tmp_path / "a.tif", min_is_white="invert")[0], 255 - stored)


def test_bools_of_numpy_stay_what_they_are(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", MASK)  # tifffile calls them "0 is white" unasked
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].aspage().photometric == 0
    assert_array_equal(read_labels(tmp_path / "a.tif")[0], MASK)


def test_numbers_of_instances_are_no_shades(tmp_path: Path) -> None:
    numbers = np.zeros((20, 31), np.uint16)
    numbers[2:5, 3:6], numbers[9:12, 3:6] = 1, 2
    tifffile.imwrite(tmp_path / "a.tif", numbers, photometric="miniswhite")
    assert_array_equal(read_labels(tmp_path / "a.tif")[0], numbers)


def test_an_unknown_way_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", GREY)
    with pytest.raises(ValueError, match="Choose one of auto, invert, keep"):
        read_pages(tmp_path / "a.tif", min_is_white="white")


def test_colours_in_spaces_that_are_not_read_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="cielab")
    with pytest.raises(ValueError, match=r"a\.tif .*CIELAB.*convert it to RGB"):
        read_pages(tmp_path / "a.tif")


def test_a_data_set_reads_its_masks_so(tmp_path: Path) -> None:
    for number in range(2):
        for kind, array in (("images", GREY), ("labels", np.where(MASK, 0, 255).astype(np.uint8))):
            (tmp_path / kind).mkdir(exist_ok=True)
            name = tmp_path / kind / f"{number}.tif"
            tifffile.imwrite(name, array, photometric="miniswhite")
    inside = {}
    for way in ("auto", "keep"):
        (sample,) = Folder(str(tmp_path), min_is_white=way).split("train")
        assert sample.labels is not None
        inside[way] = sample.labels > 0
        assert_array_equal(
            np.sign(sample.image[0] - sample.image[0, 0, 0]),
            np.sign((GREY.astype(int) - GREY[0, 0]) * (-1 if way == "auto" else 1)),
        )
    assert_array_equal(inside["auto"], MASK)
    assert_array_equal(inside["keep"], ~MASK)
