"""An image as its file stores it; its axes of pages, channels, rows and columns."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.images.display import Display
from unet_exp.images.errors import RefusedError
from unet_exp.images.tags import Tags

UNNAMED = "QI"
"""tifffile's letters for axes without a name."""
CHANNELS = "CS"
"""Letters of channels and of samples (red, green, blue)."""
WIDEST_PIXEL = 16
"""Longest last axis without a name that holds channels."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredImage:
    """An image as a reader of a file format returns it.

    Attributes
    ----------
    array
        Pixels that are read by slices, in the file's order of axes.
    axes
        tifffile's letter of each axis in the displayed image; empty if the file names none.
    alpha
        Whether the last channel may be an alpha channel.
    """

    array: Any
    axes: str = ""
    alpha: bool = False
    tags: Tags = field(default_factory=Tags)
    display: Display = field(default_factory=Display)


def require_series(series: int | None, count: int) -> None:
    """Refuse the number of a series that a file does not hold.

    >>> require_series(2, 1)
    Traceback (most recent call last):
    unet_exp.images.errors.RefusedError: series=2 is not in it: it holds 1, numbered from 0
    """
    if series is not None and series >= count:
        raise RefusedError(f"series={series} is not in it: it holds {count}, numbered from 0")


def choose_series(path: Path, series: int | None, count: int, what: str) -> int:
    """Return the number of the series to read: the first one, with a warning, if none is given.

    Raises RefusedError as `require_series` does.
    """
    require_series(series, count)
    if count > 1 and series is None:
        logger.warning(
            "%s holds %d %s, and the first is read. For another, set series=NUMBER.",
            path, count, what,
        )  # fmt: skip
    return series or 0


@dataclass(frozen=True)
class Layout:
    """The axes of an array that are pages, channels, rows and columns.

    ``letters`` names the axes of pages as tifffile does.
    """

    pages: tuple[int, ...]
    channels: tuple[int, ...]
    rows: int
    columns: int
    letters: str

    @property
    def is_named(self) -> bool:
        """Whether the file names the axes of pages."""
        return not set(self.letters) & set(UNNAMED)

    def read(
        self, array: Any, page: tuple[int, ...], rows: slice, columns: slice
    ) -> Shaped[np.ndarray, "c h w"]:
        """Read a part of all channels of a page, given the page's index along each axis."""
        index: list[Any] = [0] * len(array.shape)
        for axis, number in zip(self.pages, page, strict=True):
            index[axis] = number
        for axis in self.channels:
            index[axis] = slice(None)
        index[self.rows], index[self.columns] = rows, columns
        pixels = np.asarray(array[tuple(index)])
        wanted = (*self.channels, self.rows, self.columns)
        pixels = pixels.transpose([sorted(wanted).index(axis) for axis in wanted])
        return pixels.reshape(-1, *pixels.shape[-2:])


def find_layout(shape: tuple[int, ...], axes: str) -> Layout:
    """Find pages, channels, rows and columns among axes in any order; drop axes of length 1.

    Axes C (channels) and S (samples) are channels, all others (Z, T, unnamed) are pages.

    >>> find_layout((64, 48, 3), "YXS").channels
    (2,)
    >>> stack = find_layout((5, 64, 48), "QYX")
    >>> stack.pages, stack.is_named
    ((0,), False)
    >>> find_layout((64, 48, 5), "QYX").channels  # a short last axis holds channels
    (2,)
    """
    if "Y" not in axes or "X" not in axes:
        raise ValueError(f"its axes are {axes!r}, without rows (Y) and columns (X)")
    kept = [axis for axis in range(len(shape)) if axes[axis] in "YX" or shape[axis] > 1]
    sides = [shape[axis] for axis in kept]
    letters = "".join(axes[axis] for axis in kept)
    last_is_short = sides[-1] <= WIDEST_PIXEL < min(sides[:2])
    if (letters in ("QYX", "IYX") and last_is_short) or letters == "YXQ":
        letters = "YXC"
    named = dict(zip(kept, letters, strict=True))
    pages = tuple(axis for axis, letter in named.items() if letter not in CHANNELS + "YX")
    return Layout(
        pages,
        tuple(axis for axis, letter in named.items() if letter in CHANNELS),
        kept[letters.index("Y")],
        kept[letters.index("X")],
        "".join(named[axis] for axis in pages),
    )


def guess_axes(shape: tuple[int, ...]) -> str:
    """Return the axes of an array without names.

    These are (h, w), (pages, h, w), (h, w, few channels) or (pages, channels, h, w).

    >>> guess_axes((5, 64, 48))
    'QYX'
    """
    names = {2: "YX", 3: "QYX", 4: "ICYX"}
    if len(shape) not in names:
        raise ValueError(f"an array of shape {shape} is not an image")
    return names[len(shape)]
