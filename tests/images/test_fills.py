"""Undeclared values that mean no data, as GDAL, NetCDF and Esri use them."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from unet_exp.images.fills import FillDetector
from unet_exp.images.nodata import NotFiniteError, parse_nodata
from unet_exp.images.reading import normalise, read_images_and_gaps
from unet_exp.images.scaling import NORMALIZATIONS, Scaled

RNG = np.random.default_rng(0)
IMAGE = RNG.normal(100, 5, (1, 30, 20))
HOLE = np.s_[0, 3:6, 4:10]  # 18 pixels


@pytest.mark.parametrize("name", NORMALIZATIONS)
@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (np.float32, 9.96921e36), (np.float32, 1e30), (np.float32, -1e30), (np.float32, 3.3e38),
        (np.float32, 1e20), (np.float64, 9.969209968386869e36), (np.float64, -1e37),
        (np.float64, 1e300), (np.float16, 65504), (np.float16, -65504), (np.float32, -9999),
        (np.float64, -99999), (np.float32, -32768), (np.float16, -999),
    ],
)  # fmt: skip
def test_a_fill_value_is_refused_and_can_be_parse_nodata(
    tmp_path: Path, name: str, dtype: type, value: float
) -> None:
    image = IMAGE.astype(dtype)
    image[HOLE] = value
    with pytest.raises(NotFiniteError, match=r"18 values of 600 that are .*dataset\.nodata=") as no:
        Scaled(image, name)
    advised = str(no.value).split("dataset.nodata=")[1].split(",")[0]
    scaled = Scaled(image, name, (float(advised),))
    missing = scaled.missing(slice(None), slice(None))
    assert missing is not None
    assert missing.sum() == 18
    assert missing[3:6, 4:10].all()
    assert np.isfinite(scaled[:, :, :]).all()


@pytest.mark.parametrize(("dtype", "value"), [(np.int16, -32768), (np.int32, -(2**31))])
def test_a_fill_value_of_whole_numbers_is_refused_too(dtype: type, value: int) -> None:
    image = IMAGE.astype(dtype)
    image[HOLE] = value
    with pytest.raises(NotFiniteError, match=f"18 values of 600 that are {value}, "):
        normalise(image)


def test_two_fill_values_are_both_named() -> None:
    image = IMAGE.astype(np.float32)
    image[0, 1, 1], image[0, 2, 1:3] = 1e30, -1e30
    with pytest.raises(NotFiniteError, match=r"3 values .*dataset\.nodata=\[-1e\+30,1e\+30\]"):
        normalise(image)


@pytest.mark.parametrize(
    "image",
    [
        IMAGE * 1e300,
        IMAGE * 1e25,
        np.where(IMAGE > 100, IMAGE, 0) * 1e300,
        np.where(IMAGE > 100, 1e30, 0),
        IMAGE.astype(np.float16) * np.float16(500),
        np.where(IMAGE > 100, -9999, IMAGE * 200 - 30000),  # amid others
        (IMAGE * 100 - 20000).astype(np.int16),
        np.minimum(IMAGE * 655, 65504).astype(np.float32),
    ],
)
def test_images_without_a_gap_are_read(image: np.ndarray) -> None:
    assert np.isfinite(normalise(image)).all()


def test_a_declaration_without_fill_values_is_accepted() -> None:
    image = IMAGE.astype(np.float32)
    image[HOLE] = -9999
    found = Scaled(image, "zscore", parse_nodata([]))[:, :, :]
    np.testing.assert_allclose(found, (image - image.mean()) / image.std(), rtol=1e-3)


def test_bands_are_looked_at_together() -> None:
    fills = FillDetector()
    for band in ([5.0, 6.0], [-9999.0, 7.0], [-9999.0]):
        fills.add(np.array(band))
    with pytest.raises(NotFiniteError, match="2 values of 5 that are"):
        fills.refuse(5)


def write(path: Path, image: np.ndarray, tag: str | None = None, **options) -> Path:
    extra = [(42113, "s", 0, tag, True)] if tag else []
    tifffile.imwrite(path, image, metadata=None, software="x", extratags=extra, **options)
    return path


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize(
    ("dtype", "value", "tag"),
    [
        (np.float32, -9999, "-9999"), (np.float64, 1e-3, "0.001"), (np.float32, np.nan, "nan"),
        (np.uint8, 0, "0"), (np.uint16, 65535, "65535 "), (np.int16, -32768, "-32768"),
    ],
)  # fmt: skip
def test_no_data_are_compared_with_what_is_stored(
    tmp_path: Path, dtype: type, value: float, tag: str, photometric: str, caplog
) -> None:
    image = IMAGE[0].astype(dtype)
    image[3:6, 4:10] = value
    known = np.ones(image.shape, bool)
    known[3:6, 4:10] = False
    by_hand = (image - image[known].mean()) / image[known].std()
    if photometric == "miniswhite":
        by_hand = -by_hand
    for path, nodata in (
        (write(tmp_path / "plain.tif", image, photometric=photometric), (float(value),)),
        (write(tmp_path / "tagged.tif", image, tag, photometric=photometric), ()),
    ):
        ((found, missing),) = read_images_and_gaps(path, nodata=nodata)
        assert missing is not None
        np.testing.assert_array_equal(missing, ~known)
        np.testing.assert_allclose(found[0][known], by_hand[known], rtol=1e-3, atol=1e-4)
        assert (found[0][~known] == 0).all()
    assert "its GDAL_NODATA tag says that" in caplog.text


def test_the_users_declaration_has_priority_over_the_tag(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.array([[1, 2, 3]], np.uint8), "1")
    for nodata, expected in (((3.0,), [[False, False, True]]), ((), [[True, False, False]])):
        ((_, missing),) = read_images_and_gaps(path, nodata=nodata)
        assert missing is not None
        assert missing.tolist() == expected
    ((_, missing),) = read_images_and_gaps(path, nodata=parse_nodata([]))
    assert missing is None


@pytest.mark.parametrize("tag", ["none", "1,5", "x" * 40])
def test_a_tag_that_makes_no_sense_keeps_nothing_from_being_read(tmp_path: Path, tag: str) -> None:
    ((_, missing),) = read_images_and_gaps(
        write(tmp_path / "a.tif", IMAGE[0].astype(np.float32), tag)
    )
    assert missing is None
