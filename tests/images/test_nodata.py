"""Values that mean no measurement, and numbers at the limits of floats."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from unet_exp.datasets.folder import Folder
from unet_exp.images.nodata import NotFiniteError
from unet_exp.images.reading import normalise, read_images_and_gaps
from unet_exp.images.scaling import NORMALIZATIONS, Scaled

RNG = np.random.default_rng(0)
IMAGE = RNG.random((1, 30, 20))
#: Powers of two, so that the scaled values are the same to the last bit.
FACTORS = [2.0**1000, 2.0**-1000, 2.0**-1040]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("name", ["zscore", "minmax", "percentile"])
def test_a_factor_changes_nothing_however_large(factor: float, name: str) -> None:
    expected = normalise(IMAGE.round(3) + 1, name)
    found = normalise((IMAGE.round(3) + 1) * factor, name)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_times_1e300_is_the_same_image() -> None:
    np.testing.assert_allclose(normalise(IMAGE * 1e300), normalise(IMAGE), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NORMALIZATIONS)
@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (np.float64, np.finfo(np.float64).max),
        (np.float64, -np.finfo(np.float32).max),
        (np.float32, -np.finfo(np.float32).max),
        (np.float32, -3.4e38),
        (np.float64, np.nan),
        (np.float32, -np.inf),
    ],
)
def test_values_that_are_no_measurements_are_refused_unless_declared(
    name: str, dtype: type, value: float
) -> None:
    image = IMAGE.astype(dtype)
    image[0, 3:5, 4] = value
    with pytest.raises(NotFiniteError, match=r"2 values of 600 that are.*dataset\.nodata="):
        Scaled(image, name)
    declared = float(image[0, 3, 4])
    scaled = Scaled(image, name, (declared,))
    missing = scaled.missing(slice(None), slice(None))
    assert missing is not None
    assert np.argwhere(missing).tolist() == [[3, 4], [4, 4]]
    found = scaled[:, :, :]
    assert (found[:, missing] == 0).all()
    # The others are scaled as if these were not there.
    others = IMAGE.astype(dtype)[:, ~missing][None]
    np.testing.assert_allclose(found[:, ~missing][None], normalise(others, name), rtol=1e-5)


def test_values_beyond_float32_are_refused_where_nothing_scales_them() -> None:
    with pytest.raises(NotFiniteError, match="beyond float32"):
        normalise(IMAGE * 1e300, "none")


def test_declared_whole_numbers_and_all_channels() -> None:
    image = np.array([[[0, 5, 0]], [[0, 0, 7]]], np.uint16)
    missing = Scaled(image, "minmax", (0.0,)).missing(slice(None), slice(None))
    assert missing is not None
    assert missing.tolist() == [[True, False, False]]
    np.testing.assert_array_equal(Scaled(image * 0, "zscore", (0.0,))[:, :, :], 0)


def test_a_number_is_compared_as_the_file_holds_it(tmp_path: Path) -> None:
    image = RNG.random((8, 9)).astype(np.float32)
    image[2, 3] = np.finfo(np.float32).min
    tifffile.imwrite(tmp_path / "a.tif", image)
    ((_, missing),) = read_images_and_gaps(tmp_path / "a.tif", nodata=(-3.4028235e38,))
    assert missing is not None
    assert np.argwhere(missing).tolist() == [[2, 3]]


def test_pixels_without_data_are_unknown_to_training(tmp_path: Path) -> None:
    for number in range(2):
        labels = np.zeros((16, 18), np.uint8)
        labels[2:8, 3:9] = 1
        image = RNG.random((16, 18)).astype(np.float32)
        image[4:12, 5:7] = np.nan
        for kind, array in (("images", image), ("labels", labels)):
            path = tmp_path / kind / f"{number}.tif"
            path.parent.mkdir(exist_ok=True)
            tifffile.imwrite(path, array)
    with pytest.raises(ValueError, match=r"0\.tif has 16 values of 288 that are NaN"):
        Folder(str(tmp_path))
    (sample,) = Folder(str(tmp_path), nodata=float("nan")).split("train")
    assert sample.labels is not None
    assert (sample.labels[4:12, 5:7] == -1).all()
    assert np.count_nonzero(sample.labels == -1) == 16
    assert np.isfinite(sample.image).all()
    known = sample.image[sample.labels[None] >= 0]
    assert float(known.mean()) == pytest.approx(0, abs=1e-5)
    assert float(known.std()) == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="nodata=much is not a number"):
        Folder(str(tmp_path), nodata="much")
