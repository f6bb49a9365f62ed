"""How the grey values of a channel are scaled, found band by band in images of any size."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64, Shaped

from unet_exp.images.fills import Fills
from unet_exp.images.nodata import (
    NoData,
    NoneAtAll,
    NotFiniteError,
    gaps,
    refuse_not_finite,
)

NORMALIZATIONS = ("zscore", "percentile", "minmax", "dtype", "none")
PERCENTILES = (1.0, 99.8)
BAND = 2**24
"""Pixels looked at together; of larger channels of floats, as many stand for percentiles."""


def require_normalization(name: str) -> None:
    """Refuse a normalization that is not known."""
    if name not in NORMALIZATIONS:
        raise ValueError(
            f"dataset.normalization={name} is not known. Choose one of {', '.join(NORMALIZATIONS)}."
        )


def scaling(
    channel: Any, normalization: str = "zscore", nodata: NoData = ()
) -> tuple[float, float]:
    """Find ``low`` and ``scale`` of a channel (h, w), which becomes (channel - low) / scale.

    "zscore" takes mean and standard deviation; "percentile" the 1st and the distance to the
    99.8th percentile; "minmax" the darkest and the distance to the brightest pixel; "dtype"
    divides by the largest value of an integer type; "none" changes nothing. A constant channel
    becomes 0. ``channel`` is an array or anything that is read by slices of rows. Values that
    ``nodata`` declares do not count.

    >>> scaling(np.array([[1, 3], [1, 3]], np.uint8))
    (2.0, 1.0)
    >>> scaling(np.array([[1, 3], [255, 3]], np.uint8), "minmax", nodata=(255.0,))
    (1.0, 2.0)

    Raises
    ------
    ValueError
        For a normalization that is not known.
    NotFiniteError
        For values that are NaN or infinite; and, unless ``nodata`` is `NoneAtAll`, for those that
        `unet_exp.images.fills` recognises.
    """
    require_normalization(normalization)
    whole_numbers = channel.dtype.kind in "iu"
    fixed = {"none": 1.0, "dtype": float(np.iinfo(channel.dtype).max) if whole_numbers else 1.0}
    if normalization in fixed and whole_numbers:
        return 0.0, fixed[normalization]
    darkest, brightest, mean, deviation = moments(channel, nodata)
    if normalization in fixed:
        return 0.0, fixed[normalization]
    if darkest >= brightest:
        return (darkest if darkest == brightest else 0.0), 1.0
    if normalization == "zscore":
        return mean, deviation
    low, high = (
        percentiles(channel, nodata) if normalization == "percentile" else (darkest, brightest)
    )
    with np.errstate(over="ignore"):
        scale = float(np.float64(high) - low)
    if not np.isfinite(scale):
        raise NotFiniteError(f"values from {low} to {high}, too far apart to be scaled.")
    return low, scale or 1.0


def bands(channel: Any) -> Iterator[Shaped[np.ndarray, "rows w"]]:
    """Yield the rows of a channel, as many at once as have ``BAND`` pixels.

    >>> [band.shape for band in bands(np.zeros((3, 2**23)))]
    [(2, 8388608), (1, 8388608)]
    """
    height, width = channel.shape
    rows = max(1, BAND // max(width, 1))
    for top in range(0, height, rows):
        yield np.asarray(channel[top : top + rows, :])


def known_values(channel: Any, nodata: NoData) -> Iterator[Shaped[np.ndarray, "..."]]:
    """Yield the bands of a channel, without the values that are declared as no data."""
    for band in bands(channel):
        missing = gaps(band, nodata)
        yield band if missing is None else band[~missing]


def moments(channel: Any, nodata: NoData = ()) -> tuple[float, float, float, float]:
    """Darkest and brightest value, mean and standard deviation, all in double precision.

    Of no values at all the darkest is infinite.

    >>> moments(np.array([[1, 3]], np.uint8))
    (1.0, 3.0, 2.0, 1.0)
    """
    low, high, mean, variance = _moments(channel, nodata, 0)
    if low >= high:
        return low, high, low, 0.0
    # Squares of numbers far from 1 leave the range of doubles: such are brought there, exactly.
    shift = int(np.frexp(max(abs(low), abs(high)))[1])
    if abs(shift) <= 300:
        return low, high, mean, float(np.sqrt(variance))
    _, _, mean, variance = _moments(channel, nodata, shift)
    return low, high, float(np.ldexp(mean, shift)), float(np.ldexp(np.sqrt(variance), shift))


def _moments(channel: Any, nodata: NoData, shift: int) -> tuple[float, float, float, float]:
    """Darkest and brightest value; mean and variance of the values over 2 to the ``shift``.

    Bands are joined as Chan et al. 1979 do (doi:10.1007/978-3-642-51461-6_3).
    """
    low, high, broken, count = np.inf, -np.inf, 0, 0
    fills = None if isinstance(nodata, NoneAtAll) else Fills()
    mean, squares = np.float64(0), np.float64(0)
    for values in known_values(channel, nodata):
        if values.dtype.kind == "f":
            broken += values.size - int(np.count_nonzero(np.isfinite(values)))
        if broken or not values.size:
            continue
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        if fills is not None:
            fills.add(values)
        near = np.ldexp(values.astype(np.float64), -shift) if shift else values
        with np.errstate(over="ignore", invalid="ignore"):
            middle, spread = near.mean(dtype=np.float64), near.var(dtype=np.float64)
            total = count + near.size
            squares += spread * near.size + (middle - mean) ** 2 * (count * near.size / total)
            mean += (middle - mean) * (near.size / total)
        count = total
    pixels = int(np.prod(channel.shape))
    refuse_not_finite(broken, pixels)
    if fills is not None:
        fills.refuse(pixels)
    return low, high, float(mean), float(squares) / max(count, 1)


def percentiles(channel: Any, nodata: NoData = ()) -> tuple[float, float]:
    """Give the 1st and the 99.8th percentile.

    They are exact but for channels of more than ``BAND`` values that are no integers of 8 or 16
    bits, where pixels in even steps stand for all.
    """
    small = int(np.prod(channel.shape)) <= BAND
    if small:
        values = np.concatenate([v.ravel() for v in known_values(channel, nodata)])
        low, high = np.percentile(values, PERCENTILES)
    elif channel.dtype.kind in "iu" and channel.dtype.itemsize <= 2:
        least = int(np.iinfo(channel.dtype).min)
        counts = np.zeros(2 ** (8 * channel.dtype.itemsize), np.int64)
        for values in known_values(channel, nodata):
            counts += np.bincount(values.ravel().astype(np.int64) - least, minlength=len(counts))
        low, high = (least + of_counts(counts, q) for q in PERCENTILES)
    else:
        step = int(np.ceil(np.sqrt(np.prod(channel.shape) / BAND)))
        rows = [
            np.asarray(channel[y : y + 1, :])[:, ::step] for y in range(0, channel.shape[0], step)
        ]
        missing = [gaps(row, nodata) for row in rows]
        kept = [r.ravel() if m is None else r[~m] for r, m in zip(rows, missing, strict=True)]
        low, high = np.percentile(np.concatenate(kept), PERCENTILES)
    return float(low), float(high)


def of_counts(counts: Int64[np.ndarray, " values"], q: float) -> float:
    """Give a percentile, as ``numpy.percentile`` does, of the values 0, 1, ... that occur so often.

    >>> of_counts(np.array([1, 0, 3]), 25), float(np.percentile([0, 2, 2, 2], 25))
    (1.5, 1.5)
    """
    place = (int(counts.sum()) - 1) * q / 100
    ends = np.cumsum(counts)
    lower, upper = (
        int(np.searchsorted(ends, index, side="right"))
        for index in (np.floor(place), np.ceil(place))
    )
    return float(lower + (upper - lower) * (place - np.floor(place)))


class Scaled:
    """An image (c, h, w) whose scaled values are computed where they are read, by slices.

    Values that ``nodata`` declares become 0.

    >>> image = Scaled(np.array([[[1, 3], [1, 3]]], np.uint8), "zscore")
    >>> image.shape, image[:, 0:1, 0:2].tolist()
    ((1, 2, 2), [[[-1.0, 1.0]]])
    """

    def __init__(self, image: Any, normalization: str = "zscore", nodata: NoData = ()) -> None:
        self.image, self.shape, self.nodata = image, tuple(image.shape), nodata
        found = [scaling(Channel(image, c), normalization, nodata) for c in range(self.shape[0])]
        low, scale = np.array(found).reshape(-1, 2).T[..., None, None]
        exponents = np.frexp(scale)[1]
        # Differences of numbers far from 1 leave the range of doubles: they are taken near it.
        self.shift = np.where(np.abs(exponents) > 300, exponents, 0)
        self.low, self.scale = np.ldexp(low, -self.shift), np.ldexp(scale, -self.shift)

    def __getitem__(self, key: tuple[Any, ...]) -> Float32[np.ndarray, "c h w"]:
        """Read and scale pixels.

        Raises
        ------
        NotFiniteError
            Scaled values leave the range of float32.
        """
        pixels = np.asarray(self.image[(slice(None), *key[-2:])])
        missing = gaps(pixels, self.nodata)
        if missing is not None:
            pixels = np.where(missing, pixels.dtype.type(0), pixels)
        if self.shift.any():
            pixels = np.ldexp(pixels.astype(np.float64), -self.shift)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = ((pixels - self.low) / self.scale).astype(np.float32)
        if missing is not None:
            scaled[missing] = 0
        if not np.isfinite(scaled).all():
            raise NotFiniteError(
                "values that are beyond float32 once they are scaled. Choose "
                "dataset.normalization=zscore, or divide them first."
            )
        return scaled

    def missing(self, rows: slice, columns: slice) -> Bool[np.ndarray, "h w"] | None:
        """Tell which pixels have no data in any channel; None if none can have."""
        if not self.nodata:
            return None
        found = gaps(np.asarray(self.image[:, rows, columns]), self.nodata)
        return None if found is None else np.asarray(found.all(axis=0))


class Channel:
    """One channel (h, w) of an image that is read by slices."""

    def __init__(self, image: Any, number: int) -> None:
        self.image, self.number = image, number
        self.shape, self.dtype = tuple(image.shape[1:]), image.dtype

    def __getitem__(self, key: tuple[slice, slice]) -> Shaped[np.ndarray, "h w"]:
        return np.asarray(self.image[(slice(self.number, self.number + 1), *key)])[0]
