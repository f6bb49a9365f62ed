"""How the grey values of a channel are scaled, found band by band in images of any size."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, Shaped

NORMALIZATIONS = ("zscore", "percentile", "minmax", "dtype", "none")
PERCENTILES = (1.0, 99.8)
BAND = 2**24
"""Pixels looked at together; of larger channels of floats, as many stand for percentiles."""


class NotFiniteError(ValueError):
    """Values that are NaN or infinite, how many of how many."""


def scaling(channel: Any, normalization: str = "zscore") -> tuple[float, float]:
    """Find ``low`` and ``scale`` of a channel (h, w), which becomes (channel - low) / scale.

    "zscore" takes mean and standard deviation; "percentile" the 1st and the distance to the
    99.8th percentile; "minmax" the darkest and the distance to the brightest pixel; "dtype"
    divides by the largest value of an integer type; "none" changes nothing. A constant channel
    becomes 0. ``channel`` is an array or anything that is read by slices of rows.

    >>> scaling(np.array([[1, 3], [1, 3]], np.uint8))
    (2.0, 1.0)

    Raises
    ------
    ValueError
        For a normalization that is not known.
    NotFiniteError
        For values that are NaN or infinite.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"dataset.normalization={normalization} is not known. "
            f"Choose one of {', '.join(NORMALIZATIONS)}."
        )
    whole_numbers = channel.dtype.kind in "iu"
    fixed = {"none": 1.0, "dtype": float(np.iinfo(channel.dtype).max) if whole_numbers else 1.0}
    if normalization in fixed and whole_numbers:
        return 0.0, fixed[normalization]
    darkest, brightest, mean, variance = moments(channel)
    if normalization in fixed:
        return 0.0, fixed[normalization]
    if darkest == brightest:
        return darkest, 1.0
    if normalization == "zscore":
        return mean, float(np.sqrt(variance))
    low, high = percentiles(channel) if normalization == "percentile" else (darkest, brightest)
    return low, (high - low) or 1.0


def bands(channel: Any) -> Iterator[Shaped[np.ndarray, "rows w"]]:
    """Yield the rows of a channel, as many at once as have ``BAND`` pixels.

    >>> [band.shape for band in bands(np.zeros((3, 2**23)))]
    [(2, 8388608), (1, 8388608)]
    """
    height, width = channel.shape
    rows = max(1, BAND // max(width, 1))
    for top in range(0, height, rows):
        yield np.asarray(channel[top : top + rows, :])


def moments(channel: Any) -> tuple[float, float, float, float]:
    """Darkest and brightest value, mean and variance, of all values in double precision.

    Bands are joined as Chan et al. 1979 do (doi:10.1007/978-3-642-51461-6_3).

    >>> moments(np.array([[1, 3]], np.uint8))
    (1.0, 3.0, 2.0, 1.0)
    """
    low, high, mean, squares, count, strange = np.inf, -np.inf, 0.0, 0.0, 0, 0
    for band in bands(channel):
        if band.dtype.kind == "f":
            strange += band.size - int(np.count_nonzero(np.isfinite(band)))
        if strange:
            continue
        low, high = min(low, float(band.min())), max(high, float(band.max()))
        here, spread = float(band.mean(dtype=np.float64)), float(band.var(dtype=np.float64))
        total = count + band.size
        squares += spread * band.size + (here - mean) ** 2 * (count * band.size / total)
        mean += (here - mean) * (band.size / total)
        count = total
    if strange:
        raise NotFiniteError(
            f"{strange} values of {np.prod(channel.shape)} that are NaN or infinite. Replace them "
            "first, for example by the image's median."
        )
    return low, high, mean, squares / count


def percentiles(channel: Any) -> tuple[float, float]:
    """Give the 1st and the 99.8th percentile.

    They are exact but for channels of more than ``BAND`` values that are no integers of 8 or 16
    bits, where pixels in even steps stand for all.
    """
    small = int(np.prod(channel.shape)) <= BAND
    if small:
        low, high = np.percentile(np.asarray(channel[:, :]), PERCENTILES)
    elif channel.dtype.kind in "iu" and channel.dtype.itemsize <= 2:
        least = int(np.iinfo(channel.dtype).min)
        counts = np.zeros(2 ** (8 * channel.dtype.itemsize), np.int64)
        for band in bands(channel):
            counts += np.bincount(band.ravel().astype(np.int64) - least, minlength=len(counts))
        low, high = (least + of_counts(counts, q) for q in PERCENTILES)
    else:
        step = int(np.ceil(np.sqrt(np.prod(channel.shape) / BAND)))
        rows = [
            np.asarray(channel[y : y + 1, :])[:, ::step] for y in range(0, channel.shape[0], step)
        ]
        low, high = np.percentile(np.concatenate(rows), PERCENTILES)
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

    >>> image = Scaled(np.array([[[1, 3], [1, 3]]], np.uint8), "zscore")
    >>> image.shape, image[:, 0:1, 0:2].tolist()
    ((1, 2, 2), [[[-1.0, 1.0]]])
    """

    def __init__(self, image: Any, normalization: str = "zscore") -> None:
        self.image, self.shape = image, tuple(image.shape)
        found = [scaling(Channel(image, c), normalization) for c in range(self.shape[0])]
        self.low, self.scale = np.array(found).reshape(-1, 2).T[..., None, None]

    def __getitem__(self, key: tuple[Any, ...]) -> Float32[np.ndarray, "c h w"]:
        pixels = np.asarray(self.image[(slice(None), *key[-2:])])
        return ((pixels - self.low) / self.scale).astype(np.float32)


class Channel:
    """One channel (h, w) of an image that is read by slices."""

    def __init__(self, image: Any, number: int) -> None:
        self.image, self.number = image, number
        self.shape, self.dtype = tuple(image.shape[1:]), image.dtype

    def __getitem__(self, key: tuple[slice, slice]) -> Shaped[np.ndarray, "h w"]:
        return np.asarray(self.image[(slice(self.number, self.number + 1), *key)])[0]
