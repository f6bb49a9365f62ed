"""Measure the objects of a page of any size, block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Shaped

ROWS, COLUMNS = 1024, 2048
"""Height and width of the blocks that are read."""


class PixelSize(NamedTuple):
    """Height and width of a pixel."""

    height: float
    width: float
    unit: str


@dataclass(frozen=True)
class Measures:
    """Measures of the objects of a page, in pixels; row i of each array is one object.

    Names and definitions are those of scikit-image's `regionprops`.

    Attributes
    ----------
    label
        Numbers of the objects, in increasing order.
    area
        Number of pixels.
    box
        Top, left, bottom and right; the last two are exclusive.
    centroid
        Mean row and column. The centre of the first pixel is (0, 0).
    eccentricity
        Eccentricity of the ellipse with the same second moments: 0 for a circle, 1 for a line.
    mean, maximum
        Mean and maximum of each channel's stored numbers.
    """

    label: Int[np.ndarray, " n"]
    area: Int[np.ndarray, " n"]
    box: Int[np.ndarray, "n 4"]
    centroid: Float[np.ndarray, "n 2"]
    eccentricity: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, "n c"]
    maximum: Float[np.ndarray, "n c"]

    def columns(self, pixel: PixelSize | None = None) -> dict[str, Any]:
        """Return columns of a table, with lengths in pixels and in the unit of ``pixel``.

        >>> measures = measure(np.array([[0, 1, 1]]), np.array([[[5, 7, 9]]]))
        >>> columns = measures.columns(PixelSize(0.5, 0.5, "um"))
        >>> columns["area_px"].tolist(), columns["area_um2"].tolist(), columns["mean_0"].tolist()
        ([2], [0.5], [8.0])
        """
        columns = {"label": self.label, "area_px": self.area}
        columns |= places("px", self.centroid, self.box)
        if pixel:
            size = np.array([pixel.height, pixel.width])
            columns[f"area_{pixel.unit}2"] = self.area * size.prod()
            columns |= places(pixel.unit, self.centroid * size, self.box * np.tile(size, 2))
        columns["eccentricity"] = self.eccentricity
        for channel, values in enumerate(self.mean.T):
            columns[f"mean_{channel}"] = values
        for channel, values in enumerate(self.maximum.T):
            columns[f"max_{channel}"] = values
        return columns


def places(
    unit: str, centroid: Float[np.ndarray, "n 2"], box: Shaped[np.ndarray, "n 4"]
) -> dict[str, Any]:
    """Return centroids and boxes as columns whose names end in the unit."""
    names = ("centroid_y", "centroid_x", "top", "left", "bottom", "right")
    values = (*centroid.T, *box.T)
    return {f"{name}_{unit}": value for name, value in zip(names, values, strict=True)}


def measure(labels: Any, image: Any) -> Measures:
    """Measure the objects in ``labels`` (h, w) on ``image`` (c, h, w); both are read by slices.

    >>> found = measure(np.array([[0, 1, 1], [2, 0, 0]]), np.array([[[5, 7, 9], [1, 0, 0]]]))
    >>> found.area.tolist(), found.centroid.tolist(), found.mean.tolist()
    ([2, 1], [[0.0, 1.5], [1.0, 0.0]], [[8.0], [1.0]])
    """
    sums = Sums(image.shape[0])
    for rows, columns in blocks(*labels.shape):
        block = np.asarray(labels[rows, columns])
        if block.any():
            sums.add(block, np.asarray(image[:, rows, columns]), rows.start, columns.start)
    return sums.measures()


def blocks(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield the blocks of a page in reading order."""
    for top in range(0, height, ROWS):
        for left in range(0, width, COLUMNS):
            yield slice(top, min(top + ROWS, height)), slice(left, min(left + COLUMNS, width))


class Sums:
    """Sums over the pixels of each object, indexed by label; blocks are added one by one."""

    def __init__(self, channels: int) -> None:
        self.moments = np.zeros((6, 0))  # sums of 1, y, x, y * y, y * x and x * x
        self.totals, self.maxima = np.zeros((channels, 0)), np.zeros((channels, 0))
        self.least, self.most = np.zeros((2, 0), np.int64), np.zeros((2, 0), np.int64)

    def add(self, block: np.ndarray, image: np.ndarray, top: int, left: int) -> None:
        """Add a block of labels whose first pixel is at (top, left) of the page."""
        y, x = np.nonzero(block)
        found, labels = numbered(block[y, x].astype(np.int64))
        self.extend(int(found[-1]) + 1)
        pixels = image[:, y, x].astype(np.float64)
        y, x = y + top, x + left
        size = len(found)
        weights = (None, y, x, y * y, y * x, x * x)
        for moment, weight in zip(self.moments, weights, strict=True):
            moment[found] += np.bincount(labels, weight, size)
        for total, maximum, values in zip(self.totals, self.maxima, pixels, strict=True):
            total[found] += np.bincount(labels, values, size)
            with np.errstate(invalid="ignore"):  # NaN means no data
                np.maximum.at(maximum, found[labels], values)
        for axis, places in enumerate((y, x)):
            np.minimum.at(self.least[axis], found[labels], places)
            np.maximum.at(self.most[axis], found[labels], places)

    def extend(self, size: int) -> None:
        """Make room for labels below ``size``, and for as many again, since a copy takes time."""
        room = self.moments.shape[1]
        if size <= room:
            return
        more = max(size, 2 * room) - room
        largest = np.iinfo(np.int64).max
        self.moments = extended(self.moments, more, 0)
        self.totals = extended(self.totals, more, 0)
        self.maxima = extended(self.maxima, more, -np.inf)
        self.least, self.most = extended(self.least, more, largest), extended(self.most, more, -1)

    def measures(self) -> Measures:
        """Return the measures of all objects that have pixels."""
        label = np.flatnonzero(self.moments[0])
        area, *moments = self.moments[:, label]
        y, x, yy, yx, xx = np.array(moments) / np.where(area > 0, area, 1)
        totals, maxima = self.totals[:, label], self.maxima[:, label]
        return Measures(
            label,
            area.astype(np.int64),
            np.concatenate([self.least[:, label], self.most[:, label] + 1]).T,
            np.stack([y, x], axis=1),
            eccentricity(yy - y * y, yx - y * x, xx - x * x),
            (totals / area).T,
            maxima.T,
        )


def numbered(
    labels: Int[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " n"]]:
    """Return the labels that occur, in increasing order, and the place of each given one in them.

    This is `np.unique`, without sorting.

    >>> [part.tolist() for part in numbered(np.array([7, 9, 7]))]
    [[7, 9], [0, 1, 0]]
    """
    least = labels.min()
    occurs = np.zeros(labels.max() - least + 1, bool)
    occurs[labels - least] = True
    places = np.cumsum(occurs) - 1
    return np.flatnonzero(occurs) + least, places[labels - least]


def extended(array: np.ndarray, more: int, value: float) -> np.ndarray:
    """Append ``more`` columns of one value."""
    return np.pad(array, ((0, 0), (0, more)), constant_values=value)


def eccentricity(
    yy: Float[np.ndarray, " n"], yx: Float[np.ndarray, " n"], xx: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Return the eccentricity of ellipses with these second central moments.

    >>> eccentricity(*np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 4.0]])).tolist()
    [0.0, 1.0]
    """
    middle, half = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    large, small = middle + half, np.maximum(middle - half, 0)
    is_point = large <= 0
    return np.sqrt(np.where(is_point, 0, 1 - small / np.where(is_point, 1, large)))
