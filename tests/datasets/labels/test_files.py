from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from unet_exp.datasets.labels.files import read_labels

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, bool])
def test_labels_are_whole_numbers(tmp_path, dtype) -> None:
    labels = RNG.integers(0, 2, (20, 30)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", labels)
    (page,) = read_labels(tmp_path / "a.tif")
    assert page.dtype.kind in "iu"
    assert_array_equal(page, labels)


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (np.uint8, [0, 255]), (np.int16, [-1, 2**15 - 1]), (np.int32, [-(2**31), 2**31 - 1]),
        (np.uint32, [0, 2**28, 2**31, 2**32 - 1]), (np.int64, [-(2**63), 2**63 - 1]),
        (np.uint64, [0, 2**53 + 1, 2**63, 2**64 - 1]),
    ],
)  # fmt: skip
def test_any_number_that_an_integer_holds(tmp_path, write, name, dtype, values) -> None:
    path = write(name, np.array([values * 4] * 3, dtype))
    (page,) = read_labels(path)
    assert page.dtype == dtype
    assert page[0].tolist() == values * 4


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (np.float16, [0, -1, 2048]), (np.float32, [0, 7, 2**24]), (np.float64, [-1, 2**40, 3]),
        (np.float64, [0, 2**63, 2**33]), (np.float32, [-0.0, 2**31, 2**32]),
    ],
)  # fmt: skip
def test_whole_numbers_in_floats(write, dtype, values) -> None:
    (page,) = read_labels(write("a.tif", np.array([values] * 3, dtype)))
    assert page.dtype.kind in "iu"
    assert page[0].tolist() == values


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "such as 0.5"), (np.nan, "such as nan"), (np.inf, "such as inf"), (1e30, "up to 1e.30")],
)
def test_fractions_and_what_no_integer_holds_are_refused(write, value, shown) -> None:
    labels = np.zeros((4, 4))
    labels[1, 2] = value
    with pytest.raises(
        ValueError, match=rf"a\.tif has labels that are not whole numbers,? {shown}"
    ):
        read_labels(write("a.tif", labels))


#: As VOC has it: black, maroon, green, olive, ..., and cream for 255, which is unknown.
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0] + [7] * 3 * 251 + [224, 224, 192]


def palette_picture(indices: np.ndarray, palette: list[int]) -> Image.Image:
    picture = Image.fromarray(indices)
    picture.putpalette(palette)
    return picture


@pytest.mark.parametrize("options", [{"name": "a.png"}, {"name": "a.tif"}], ids=["png", "tif"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_holds_indices(tmp_path, options, bits) -> None:
    indices = np.array([[0, 1, 3, 0], [2, 3, 255, 1], [1, 0, 1, 2]], np.uint8)
    indices &= 2**bits - 1
    path = tmp_path / options["name"]
    picture = palette_picture(indices, VOC[: 3 * 2**bits])
    picture.save(path, **({"bits": bits} if path.suffix == ".png" else {}))
    if path.suffix == ".png":
        assert path.read_bytes()[24:26] == bytes([bits, 3])
    assert_array_equal(read_labels(path), indices[None])


def test_a_palette_with_a_transparent_colour_holds_indices(tmp_path) -> None:
    indices = np.array([[0, 1], [2, 1]], np.uint8)
    palette_picture(indices, VOC).save(tmp_path / "a.png", transparency=0)
    assert_array_equal(read_labels(tmp_path / "a.png"), indices[None])


def test_a_tiff_of_few_bits_with_a_palette_holds_indices(tmp_path) -> None:
    indices = np.array([[0, 1, 15, 2], [3, 15, 1, 0]], np.uint8)
    colours = [*range(0, 64000, 4000), *[0] * 32]
    extra = [(320, "H", 48, colours, True)]  # ColorMap
    packed = indices[:, ::2] << 4 | indices[:, 1::2]
    tifffile.imwrite(
        tmp_path / "a.tif", packed, photometric="minisblack", metadata=None, extratags=extra
    )
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        tags = file.pages[0].tags
        tags["PhotometricInterpretation"].overwrite(3)  # palette
        tags["BitsPerSample"].overwrite(4)
        tags["ImageWidth"].overwrite(4)
    assert_array_equal(read_labels(tmp_path / "a.tif"), indices[None])


def test_a_grey_picture_that_was_made_smaller_by_a_palette_is_grey(tmp_path) -> None:
    # Such programs order the colours as they like.
    palette_picture(np.array([[0, 1, 2]], np.uint8), [255] * 3 + [0] * 3 + [9] * 3).save(
        tmp_path / "a.png"
    )
    assert_array_equal(read_labels(tmp_path / "a.png")[0], [[255, 0, 9]])


def test_a_palette_whose_0_is_not_black_holds_indices_and_this_is_said(tmp_path, caplog) -> None:
    indices = np.array([[0, 1, 2]], np.uint8)
    palette_picture(indices, [255, 255, 255, 0, 0, 0, 255, 0, 0]).save(tmp_path / "a.png")
    assert_array_equal(read_labels(tmp_path / "a.png")[0], indices)
    assert "0 is not black though another is: 0 is the background" in caplog.text


def test_a_palette_without_colours_holds_indices(tmp_path) -> None:
    indices = np.array([[0, 1, 2]], np.uint8)
    palette_picture(indices, [0] * 768).save(tmp_path / "a.png")
    assert_array_equal(read_labels(tmp_path / "a.png")[0], indices)


def test_a_palette_picture_cut_short_is_refused_by_name(tmp_path) -> None:
    path = tmp_path / "a.png"
    palette_picture(RNG.integers(0, 4, (60, 60), np.uint8), VOC).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"a\.png cannot be read"):
        read_labels(path)


def coloured(path: Path, rgb: np.ndarray) -> Path:
    if path.suffix == ".png":
        cv2.imwrite(str(path), rgb[..., ::-1])
    else:
        tifffile.imwrite(path, rgb, photometric="rgb")
    return path


def blocks() -> np.ndarray:
    """A red, a green and a blue block on black."""
    rgb = np.zeros((24, 24, 3), np.uint8)
    rgb[2:9, 2:9] = 255, 0, 0
    rgb[2:9, 9:20] = 0, 200, 0
    rgb[12:20, 4:20] = 0, 0, 3
    return rgb


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_each_colour_of_a_picture_of_labels_is_a_number(tmp_path, name, caplog) -> None:
    (page,) = read_labels(coloured(tmp_path / name, blocks()))
    assert f"{tmp_path / name} (and others like it" in caplog.text
    assert (
        "its colours are read as labels, each as a number: black is the background" in caplog.text
    )
    assert np.unique(page).tolist() == [0, 3, 200 * 256, 255 * 65536]
    assert (page[3, 3], page[3, 12], page[15, 9]) == (255 * 65536, 200 * 256, 3)
    (page,) = read_labels(coloured(tmp_path / name, blocks().astype(np.uint16) * 257))
    assert np.unique(page).tolist() == [0, 3 * 257, 200 * 257 << 16, 255 * 257 << 32]


def test_grey_in_three_channels_is_grey(tmp_path) -> None:
    labels = RNG.integers(0, 200, (20, 30)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "grey.png"), np.dstack([labels] * 3))
    assert_array_equal(read_labels(tmp_path / "grey.png"), labels[None])


def test_other_pictures_in_colour_are_refused(tmp_path) -> None:
    noise = RNG.integers(0, 255, (24, 24, 3)).astype(np.uint8)
    with pytest.raises(ValueError, match=r"a\.png is a picture in colour.*its colours blend"):
        read_labels(coloured(tmp_path / "a.png", noise))
    smooth = cv2.blur(cv2.resize(blocks(), (240, 240)), (5, 5))
    with pytest.raises(ValueError, match="its colours blend"):
        read_labels(coloured(tmp_path / "a.png", smooth))
    with pytest.raises(ValueError, match="no pixel is black, which is the background"):
        read_labels(coloured(tmp_path / "a.png", blocks() + np.uint8(9)))
    clear = np.dstack([blocks(), np.where(blocks().any(2), 255, 0).astype(np.uint8)])
    cv2.imwrite(str(tmp_path / "clear.png"), clear)
    with pytest.raises(
        ValueError, match=r"clear\.png has 4 channels of type uint8.*without transparency"
    ):
        read_labels(tmp_path / "clear.png")
    planes = tmp_path / "planes.tif"
    tifffile.imwrite(planes, np.moveaxis(noise, 2, 0)[[0, 1, 2, 0, 1]], metadata={"axes": "CYX"})
    with pytest.raises(ValueError, match=r"planes\.tif has 5 channels"):
        read_labels(planes)
