from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.images.reading import (
    common_pixel_size,
    normalise,
    read_images,
    read_images_and_gaps,
)

RNG = np.random.default_rng(0)


def grey(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return RNG.integers(0, 200, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_of_one_channel(tmp_path, dtype) -> None:
    image = grey(20, 30, dtype=dtype)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    assert_array_equal(read_pages(tmp_path / "a.png"), image[None, None])


def test_png_colours_come_as_red_green_blue_and_opaque_alpha_is_left_out(tmp_path) -> None:
    rgb = grey(20, 30, 3)
    cv2.imwrite(str(tmp_path / "rgb.png"), rgb[..., ::-1])
    opaque = np.dstack([rgb[..., ::-1], np.full((20, 30), 255, np.uint8)])
    cv2.imwrite(str(tmp_path / "rgba.png"), opaque)
    for name in ("rgb.png", "rgba.png"):
        assert_array_equal(read_pages(tmp_path / name), np.moveaxis(rgb, 2, 0)[None])
    opaque[0, 0, 3] = 7
    cv2.imwrite(str(tmp_path / "glass.png"), opaque)
    assert read_pages(tmp_path / "glass.png").shape == (1, 4, 20, 30)


def test_png_of_grey_and_alpha_is_grey(tmp_path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    image = grey(20, 30)
    pixels = np.dstack([image, np.full_like(image, 255)])
    image_module.fromarray(pixels).save(tmp_path / "la.png")
    assert_array_equal(read_pages(tmp_path / "la.png"), image[None, None])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64, bool])
def test_tiff_keeps_its_numbers(tmp_path, dtype) -> None:
    image = grey(20, 30, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", image, compression="zlib")
    assert_array_equal(read_pages(tmp_path / "a.tif"), image[None, None])


def test_npy_may_hold_pages_channels_or_both(tmp_path) -> None:
    for shape, pages in [
        ((20, 30), (1, 1, 20, 30)),
        ((20, 30, 3), (1, 3, 20, 30)),
        ((5, 20, 30), (5, 1, 20, 30)),
        ((5, 2, 20, 30), (5, 2, 20, 30)),
    ]:
        np.save(tmp_path / "a.npy", np.zeros(shape))
        assert read_pages(tmp_path / "a.npy").shape == pages


def test_planes_without_a_name_are_pages_unless_they_fit_only_as_channels(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", grey(5, 20, 30), photometric="minisblack")
    assert len(read_images(tmp_path / "a.tif")) == 5
    assert len(read_images(tmp_path / "a.tif", channels=1)) == 5
    assert [i.shape for i in read_images(tmp_path / "a.tif", channels=5)] == [(5, 20, 30)]
    assert [i.shape for i in read_images(tmp_path / "a.tif", pages=1)] == [(5, 20, 30)]


def test_normalisations() -> None:
    image = np.stack([np.arange(1000).reshape(20, 50), np.full((20, 50), 7)]).astype(np.uint16)
    for name, low, high in [
        ("zscore", -1.73, 1.73),
        ("minmax", 0, 1),
        ("percentile", -0.0101, 1.002),
        ("dtype", 0, 999 / 65535),
        ("none", 0, 999),
    ]:
        result = normalise(image, name)
        assert result.dtype == np.float32
        assert (result[0].min(), result[0].max()) == pytest.approx((low, high), abs=1e-3)
    assert_array_equal(normalise(image, "zscore")[1], 0)
    assert normalise(image)[0].mean() == pytest.approx(0, abs=1e-6)
    assert normalise(image)[0].std() == pytest.approx(1)
    with pytest.raises(ValueError, match="normalization=mean is unknown"):
        normalise(image, "mean")


def test_constant_fractions_become_zero() -> None:
    assert_array_equal(normalise(np.full((1, 9, 9), 0.1, np.float32)), 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_counted_and_refused(tmp_path, value) -> None:
    image = np.zeros((20, 30), np.float32)
    image[3:5, 4] = value
    tifffile.imwrite(tmp_path / "hole.tif", image)
    with pytest.raises(ValueError, match=r"hole.tif has 2 values of 600 that are NaN or infinite"):
        read_images(tmp_path / "hole.tif")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "lzw.tif", "stack.tif", "plain.tif", "a.npy"])
def test_a_file_cut_short_is_refused_by_name(tmp_path, name, share) -> None:
    path = tmp_path / name
    if name == "a.png":
        cv2.imwrite(str(path), grey(40, 50))
    elif name == "a.npy":
        np.save(path, grey(40, 50))
    elif name == "lzw.tif":
        tifffile.imwrite(path, grey(40, 50), compression="lzw")
    elif name == "plain.tif":  # each page with its own header, and no note of how many there are
        with tifffile.TiffWriter(path) as file:
            for _ in range(6):
                file.write(grey(40, 50), metadata=None, contiguous=False)
    else:
        shape = (6, 40, 50) if name == "stack.tif" else (40, 50)
        tifffile.imwrite(path, grey(*shape), photometric="minisblack")
    data = path.read_bytes()
    assert read_pages(path).size > 0
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        read_pages(path)


@pytest.mark.parametrize("content", [b"", b"hello, world", b"II*\0", b"\x89PNG\r\n\x1a\n"])
def test_files_that_are_no_images_are_refused_by_name(tmp_path, content) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tif cannot be read"):
        read_pages(tmp_path / "a.tif")


def test_pickles_in_npy_are_never_opened(tmp_path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"a\.npy cannot be read"):
        read_pages(tmp_path / "a.npy")


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no\.png"):
        read_pages(tmp_path / "no.png")


def test_files_agree_on_the_size_of_a_pixel_or_it_is_unknown(tmp_path: Path) -> None:
    def tiff(name: str, pixels_per_unit: float, unit: str) -> Path:
        path, image = tmp_path / name, np.zeros((4, 5), np.uint8)
        resolution = (pixels_per_unit, pixels_per_unit)
        tifffile.imwrite(path, image, imagej=True, resolution=resolution, metadata={"unit": unit})
        return path

    def agreed(*paths: Path) -> float | None:
        sizes: list[float | None] = []
        for path in paths:
            read_images_and_gaps(path, on_open=lambda file: sizes.append(file.tags.pixel_size()))
        return common_pixel_size(sizes)

    half, same, other = tiff("a.tif", 2, "um"), tiff("b.tif", 0.002, "nm"), tiff("c.tif", 4, "um")
    assert agreed(half) == pytest.approx(0.5)
    assert agreed(half, same) == pytest.approx(0.5)
    assert agreed(half, other) is None
    cv2.imwrite(str(tmp_path / "d.png"), np.zeros((4, 5), np.uint8))
    assert agreed(half, tmp_path / "d.png") is None
    print_size = tmp_path / "e.tif"
    tifffile.imwrite(print_size, np.zeros((4, 5), np.uint8), resolution=(72, 72), resolutionunit=2)
    assert agreed(print_size) is None
