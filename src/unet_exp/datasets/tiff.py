"""Pages and channels of a TIFF by the axes that tifffile reads out of it."""

import logging
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr
from jaxtyping import Shaped

from unet_exp.datasets.tags import Tags, read_tags

UNNAMED = "QI"  # tifffile's letters for an axis that the file does not explain
CHANNELS = "CS"  # channels and samples (red, green, blue)
WIDEST_PIXEL = 16  # a last axis up to this long, after two longer ones, holds channels
logger = logging.getLogger(__name__)


class _BrokenOffsets(logging.Filter):
    """Catches what tifffile only logs: tags and pages that lie beyond the end of the file.

    A multi-page file that is cut short would otherwise come back with fewer pages.
    """

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if not re.search(r"invalid (\w+ )?offset", message):
            return True
        self.messages.append(message)
        return False

    @property
    def messages(self) -> list[str]:
        """Complaints about the file that this thread reads."""
        if not hasattr(self._local, "messages"):
            self._local.messages = []
        return self._local.messages


_broken = _BrokenOffsets()
logging.getLogger("tifffile").addFilter(_broken)


@contextmanager
def open_tiff(path: Path, in_memory: int) -> Iterator[tuple[Any, str, bool, Tags]]:
    """Open a TIFF's first series: the array, its axes, whether it has an alpha channel, tags.

    Up to ``in_memory`` bytes are read at once; of larger ones the array is read by slices while
    the file is open. Where a file holds images of several shapes, the first series is read and
    the others are named in the log. A damaged or cut file raises some exception of tifffile's or
    its codecs', here or when a slice is read.
    """
    _broken.messages.clear()
    with tifffile.TiffFile(path) as file:
        count = len(file.pages)  # walks through the whole file
        if _broken.messages:
            raise ValueError(f"cut short after page {count}: {_broken.messages[0]}")
        series = file.series[0]
        if len(file.series) > 1:
            others = ", ".join(str(s.shape) for s in file.series[1:])
            logger.warning("%s also holds images of shape %s; they are not read.", path, others)
        alpha = any(kind in (1, 2) for kind in getattr(series.keyframe, "extrasamples", ()))
        if series.nbytes <= in_memory:
            array = series.asarray()
        elif series.dataoffset is not None and series.dtype is not None:
            dtype = series.dtype.newbyteorder(file.byteorder)
            array = Mapped(path, series.dataoffset, dtype, series.shape)
        else:
            array = zarr.open_array(series.aszarr(level=0), mode="r")
        if _broken.messages:
            raise ValueError(f"cut short: {_broken.messages[0]}")
        yield array, series.axes, alpha, read_tags(file)


class Mapped:
    """An uncompressed array in a file, of which a map is made for each slice that is read.

    So the pages of the file that were read do not stay with the process, as they would in one
    lasting memory map.
    """

    def __init__(
        self, path: Path, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> None:
        self.path, self.offset, self.dtype, self.shape = path, offset, dtype, shape
        self.ndim = len(shape)
        if path.stat().st_size < offset + math.prod(shape) * dtype.itemsize:
            raise ValueError(f"cut short: {shape} values do not fit into it")

    def __getitem__(self, key: Any) -> Shaped[np.ndarray, "..."]:
        pixels = np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
        return np.array(pixels[key], self.dtype.newbyteorder("="))


@dataclass(frozen=True)
class Layout:
    """Which axes of an array are pages, channels, rows and columns."""

    pages: tuple[int, ...]
    channels: tuple[int, ...]
    rows: int
    columns: int
    letters: str
    """Names of the axes of pages, as tifffile has them."""

    @property
    def named(self) -> bool:
        """Whether the file says what its pages are."""
        return not set(self.letters) & set(UNNAMED)

    def without_pages(self) -> "Layout":
        """Take the pages for channels."""
        return Layout((), (*self.pages, *self.channels), self.rows, self.columns, "")


def layout(shape: tuple[int, ...], axes: str) -> Layout:
    """Find pages, channels, rows and columns among axes of any order; those of length 1 are none.

    Axes named C (channels) or S (colours) are channels, all others (Z, T, unnamed) pages.

    >>> layout((64, 48, 3), "YXS").channels
    (2,)
    >>> stack = layout((5, 64, 48), "QYX")
    >>> stack.pages, stack.named
    ((0,), False)
    >>> layout((64, 48, 5), "QYX").channels  # channels last, though nobody says so
    (2,)
    """
    if "Y" not in axes or "X" not in axes:
        raise ValueError(f"its axes are {axes!r}, without rows (Y) and columns (X)")
    kept = [i for i in range(len(shape)) if axes[i] in "YX" or shape[i] > 1]
    sides = [shape[i] for i in kept]
    letters = "".join(axes[i] for i in kept)
    last_is_short = sides[-1] <= WIDEST_PIXEL < min(sides[:2])
    if (letters in ("QYX", "IYX") and last_is_short) or letters == "YXQ":
        letters = "YXC"
    pages = [p for p, letter in enumerate(letters) if letter not in CHANNELS + "YX"]
    return Layout(
        tuple(kept[p] for p in pages),
        tuple(kept[p] for p, letter in enumerate(letters) if letter in CHANNELS),
        kept[letters.index("Y")],
        kept[letters.index("X")],
        "".join(letters[p] for p in pages),
    )


def axes_of_plain(shape: tuple[int, ...]) -> str:
    """Name the axes of an array that does not name them.

    These may be (h, w), (pages, h, w), (h, w, few channels) or (pages, channels, h, w).

    >>> axes_of_plain((5, 64, 48))
    'QYX'
    """
    names = {2: "YX", 3: "QYX", 4: "ICYX"}
    if len(shape) not in names:
        raise ValueError(f"an array of shape {shape} is no image")
    return names[len(shape)]
