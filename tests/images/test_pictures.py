"""JPEG, BMP and WebP, compared with what Pillow wrote."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from tests.images.stored_pages import read_pages

COLOURS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


@pytest.mark.parametrize("name", ["a.bmp", "a.webp"])
def test_lossless_pictures_keep_their_pixels(tmp_path: Path, name: str) -> None:
    Image.fromarray(COLOURS).save(tmp_path / name, lossless=True)
    assert_array_equal(read_pages(tmp_path / name), COLOURS.transpose(2, 0, 1)[None])


def test_grey_pictures_have_one_channel(tmp_path: Path) -> None:
    grey = np.full((20, 30), 130, np.uint8)
    for name in ("a.jpg", "a.bmp"):
        Image.fromarray(grey).save(tmp_path / name)
        assert_array_equal(read_pages(tmp_path / name), grey[None, None])


def test_an_opaque_alpha_channel_is_left_out(tmp_path: Path) -> None:
    alpha = np.full((20, 30, 1), 255, np.uint8)
    for last, channels in ((255, 3), (254, 4)):
        alpha[-1, -1] = last
        pixels = np.concatenate([COLOURS, alpha], 2)
        Image.fromarray(pixels).save(tmp_path / "a.webp", lossless=True, exact=True)
        assert read_pages(tmp_path / "a.webp").shape == (1, channels, 20, 30)


def test_photographs_are_turned_as_they_are_displayed(tmp_path: Path) -> None:
    flat = np.repeat(np.array([[0, 80], [160, 240]], np.uint8), 16, 0).repeat(16, 1)
    exif = Image.Exif()
    exif[274] = 6  # the camera was turned: rows run from top to bottom on the right
    Image.fromarray(flat).save(tmp_path / "a.jpg", quality=100, exif=exif)
    assert_array_equal(read_pages(tmp_path / "a.jpg")[0, 0, 8::16, 8::16], [[160, 0], [240, 80]])


@pytest.mark.parametrize("name", ["a.jpg", "a.bmp", "a.webp"])
def test_files_that_are_cut_short_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(COLOURS).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=rf"{name} cannot be read"):
        read_pages(path)
    path.write_bytes(path.read_bytes()[:12])
    with pytest.raises(ValueError, match=rf"{name} cannot be read"):
        read_pages(path)


def test_a_picture_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    Image.fromarray(COLOURS).save(path)
    data = bytearray(path.read_bytes())
    data[18:26] = np.array([12_000, 12_000], "<i4").tobytes()
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"claims to hold 0\.4023 GiB"):
        read_pages(path)
