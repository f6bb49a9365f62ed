"""Scale the grey values of each channel, computed band by band for images of any size."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64, Shaped

from unet_exp.arrays import MappedArray
from unet_exp.images.fills import FillDetector
from unet_exp.images.nodata import NoData, NoneAtAll, NotFiniteError, find_gaps, refuse_not_finite
from unet_exp.ranges import require_choice

NORMALIZATIONS = ("zscore", "percentile", "minmax", "dtype", "none")
PERCENTILES = (1.0, 99.8)
BAND = 2**24
"""Largest number of pixels in a band, and in the sample for percentiles of floats."""


def find_scaling(
    channel: Any, normalization: str = "zscore", nodata: NoData = ()
) -> tuple[float, float]:
    """Find ``low`` and ``scale`` of a channel (h, w), which becomes (channel - low) / scale.

    A constant channel becomes 0.

    Parameters
    ----------
    normalization
        "zscore" uses mean and standard deviation; "percentile" the 1st percentile and the distance
        to the 99.8th; "minmax" the minimum and the distance to the maximum; "dtype" divides by the
        largest number of an integer type; "none" changes nothing.
    nodata
        Values that are left out.

    >>> find_scaling(np.array([[1, 3], [1, 3]], np.uint8))
    (2.0, 1.0)
    >>> find_scaling(np.array([[1, 3], [255, 3]], np.uint8), "minmax", nodata=(255.0,))
    (1.0, 2.0)

    Raises ValueError if the normalization is unknown, and NotFiniteError if values are NaN or
    infinite, or are fill values (`unet_exp.images.fills`) that ``nodata`` does not declare.
    `NoneAtAll` allows fill values.
    """
    require_choice("dataset.normalization", normalization, NORMALIZATIONS)
    is_integer = channel.dtype.kind in "iu"
    fixed = {"none": 1.0, "dtype": float(np.iinfo(channel.dtype).max) if is_integer else 1.0}
    if normalization in fixed and is_integer:
        return 0.0, fixed[normalization]
    low, high, mean, deviation = moments(channel, nodata)
    if normalization in fixed:
        return 0.0, fixed[normalization]
    if low >= high:
        return (low if low == high else 0.0), 1.0
    if normalization == "zscore":
        return mean, deviation
    if normalization == "percentile":
        low, high = percentiles(channel, nodata)
    with np.errstate(over="ignore"):
        scale = float(np.float64(high) - low)
    if not np.isfinite(scale):
        raise NotFiniteError(f"values from {low} to {high}, too far apart to be scaled.")
    return low, scale or 1.0


def row_bands(channel: Any) -> Iterator[Shaped[np.ndarray, "rows w"]]:
    """Yield bands of a channel's rows, of up to ``BAND`` pixels each.

    >>> [band.shape for band in row_bands(np.zeros((3, 2**23)))]
    [(2, 8388608), (1, 8388608)]
    """
    height, width = channel.shape
    rows = max(1, BAND // max(width, 1))
    for top in range(0, height, rows):
        yield np.asarray(channel[top : top + rows, :])


def known_values(band: Shaped[np.ndarray, "h w"], nodata: NoData) -> Shaped[np.ndarray, "..."]:
    """Return the values of a band that are not in ``nodata``."""
    gaps = find_gaps(band, nodata)
    return band if gaps is None else band[~gaps]


def moments(channel: Any, nodata: NoData = ()) -> tuple[float, float, float, float]:
    """Return minimum, maximum, mean and standard deviation in double precision.

    Without any values, the minimum is infinite.

    >>> moments(np.array([[1, 3]], np.uint8))
    (1.0, 3.0, 2.0, 1.0)
    """
    low, high, mean, variance = _moments(channel, nodata, 0)
    if low >= high:
        return low, high, low, 0.0
    # Squares of numbers far from 1 would overflow, so the numbers are scaled by 2**-shift.
    shift = int(np.frexp(max(abs(low), abs(high)))[1])
    if abs(shift) <= 300:
        return low, high, mean, float(np.sqrt(variance))
    _, _, mean, variance = _moments(channel, nodata, shift)
    return low, high, float(np.ldexp(mean, shift)), float(np.ldexp(np.sqrt(variance), shift))


def _moments(channel: Any, nodata: NoData, shift: int) -> tuple[float, float, float, float]:
    """Return minimum and maximum, and mean and variance of the values times 2**-shift.

    Bands are combined as in Chan et al. 1979 (doi:10.1007/978-3-642-51461-6_3).
    """
    low, high, not_finite, count = np.inf, -np.inf, 0, 0
    fills = None if isinstance(nodata, NoneAtAll) else FillDetector()
    mean, squares = np.float64(0), np.float64(0)
    for band in row_bands(channel):
        values = known_values(band, nodata)
        if values.dtype.kind == "f":
            not_finite += values.size - int(np.count_nonzero(np.isfinite(values)))
        if not_finite or not values.size:
            continue
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if fills is not None:
            fills.add(values)
        near = np.ldexp(values.astype(np.float64), -shift) if shift else values
        with np.errstate(over="ignore", invalid="ignore"):
            band_mean, band_variance = near.mean(dtype=np.float64), near.var(dtype=np.float64)
            total = count + near.size
            change = band_mean - mean
            squares += band_variance * near.size + change**2 * (count * near.size / total)
            mean += change * (near.size / total)
        count = total
    pixels = int(np.prod(channel.shape))
    refuse_not_finite(not_finite, pixels)
    if fills is not None:
        fills.refuse(pixels)
    return low, high, float(mean), float(squares) / max(count, 1)


def percentiles(channel: Any, nodata: NoData = ()) -> tuple[float, float]:
    """Return the 1st and the 99.8th percentile.

    They are exact for up to ``BAND`` values and for integers of 8 or 16 bits. Otherwise they are
    those of evenly spaced pixels.
    """
    pixels, dtype = int(np.prod(channel.shape)), channel.dtype
    if pixels > BAND and dtype.kind in "iu" and dtype.itemsize <= 2:
        least = int(np.iinfo(dtype).min)
        counts = np.zeros(2 ** (8 * dtype.itemsize), np.int64)
        for band in row_bands(channel):
            values = known_values(band, nodata).ravel().astype(np.int64) - least
            counts += np.bincount(values, minlength=len(counts))
        low, high = (least + percentile_of_counts(counts, q) for q in PERCENTILES)
        return low, high
    values = sampled(channel, nodata)
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


def sampled(channel: Any, nodata: NoData = ()) -> Shaped[np.ndarray, " values"]:
    """Return the values of a channel (h, w); of more than ``BAND`` pixels, those in even steps.

    >>> sampled(np.array([[1, 3], [255, 3]], np.uint8), nodata=(255.0,)).tolist()
    [1, 3, 3]
    """
    height, width = channel.shape
    if height * width > BAND:
        step = int(np.ceil(np.sqrt(height * width / BAND)))
        tops = range(0, height, step)
        bands = (np.asarray(channel[top : top + 1, :])[:, ::step] for top in tops)
    else:
        bands = row_bands(channel)
    return np.concatenate([known_values(band, nodata).ravel() for band in bands])


def percentile_of_counts(counts: Int64[np.ndarray, " values"], q: float) -> float:
    """Return a percentile, as `numpy.percentile`, of the values 0, 1, ... with these counts.

    >>> percentile_of_counts(np.array([1, 0, 3]), 25), float(np.percentile([0, 2, 2, 2], 25))
    (1.5, 1.5)
    """
    rank = (int(counts.sum()) - 1) * q / 100
    lower, upper = np.searchsorted(
        np.cumsum(counts), [np.floor(rank), np.ceil(rank)], side="right"
    ).tolist()
    return float(lower + (upper - lower) * (rank - np.floor(rank)))


class Scaled:
    """An image (c, h, w) whose pixels are scaled when they are read by slices.

    Values in ``nodata`` become 0.

    >>> image = Scaled(np.array([[[1, 3], [1, 3]]], np.uint8), "zscore")
    >>> image.shape, image[:, 0:1, 0:2].tolist()
    ((1, 2, 2), [[[-1.0, 1.0]]])
    """

    def __init__(self, image: Any, normalization: str = "zscore", nodata: NoData = ()) -> None:
        self.image, self.shape, self.nodata = image, tuple(image.shape), nodata
        self.dtype = np.dtype(np.float32)
        channels = [channel_of(image, c) for c in range(self.shape[0])]
        found = [find_scaling(channel, normalization, nodata) for channel in channels]
        low, scale = np.array(found).reshape(-1, 2).T[..., None, None]
        # Differences of numbers far from 1 would overflow, see `moments`.
        exponents = np.frexp(scale)[1]
        self.shift = np.where(np.abs(exponents) > 300, exponents, 0)
        self.low, self.scale = np.ldexp(low, -self.shift), np.ldexp(scale, -self.shift)

    def __getitem__(self, key: tuple[Any, ...]) -> Float32[np.ndarray, "c h w"]:
        """Read and scale pixels.

        Raises NotFiniteError if a scaled value is beyond float32.
        """
        pixels = np.asarray(self.image[(slice(None), *key[-2:])])
        gaps = find_gaps(pixels, self.nodata)
        if gaps is not None:
            pixels = np.where(gaps, pixels.dtype.type(0), pixels)
        if self.shift.any():
            pixels = np.ldexp(pixels.astype(np.float64), -self.shift)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = ((pixels - self.low) / self.scale).astype(np.float32)
        if gaps is not None:
            scaled[gaps] = 0
        if not np.isfinite(scaled).all():
            raise NotFiniteError(
                "values that are beyond float32 once they are scaled. Choose "
                "dataset.normalization=zscore, or divide them first."
            )
        return scaled

    def missing(self, rows: slice, columns: slice) -> Bool[np.ndarray, "h w"] | None:
        """Return a mask of pixels without data in all channels; None if no number is declared."""
        if not self.nodata:
            return None
        gaps = find_gaps(np.asarray(self.image[:, rows, columns]), self.nodata)
        return None if gaps is None else np.asarray(gaps.all(axis=0))


def channel_of(image: Any, number: int) -> MappedArray:
    """Return one channel (h, w) of an image (c, h, w) that is read by slices."""
    number %= image.shape[0]

    def read(source: Any, key: tuple[slice, slice]) -> Shaped[np.ndarray, "h w"]:
        return np.asarray(source[(slice(number, number + 1), *key)])[0]

    return MappedArray(image, read, shape=tuple(image.shape[1:]))
