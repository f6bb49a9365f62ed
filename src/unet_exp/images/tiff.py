"""Pages and channels of a TIFF by the axes that its metadata name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from jaxtyping import Shaped
from tifffile import TiffFile, TiffPageSeries

from unet_exp.images.display import Display, display_of
from unet_exp.images.limits import require_memory, require_plausible, size
from unet_exp.images.tags import Tags, read_tags
from unet_exp.images.tiff_images import Joined
from unet_exp.images.tiff_pages import open_series, refuse_cut

UNNAMED = "QI"  # tifffile's letters for an axis that the file does not explain
CHANNELS = "CS"  # channels and samples (red, green, blue)
WIDEST_PIXEL = 16  # a last axis up to this long, after two longer ones, holds channels


@contextmanager
def open_tiff(path: Path, in_memory: int) -> Iterator[tuple[Any, str, bool, Tags, Display]]:
    """Open the image in a TIFF: its array, axes, whether it has an alpha channel, tags, display.

    Up to ``in_memory`` bytes are read at once; of larger ones the array is read by slices while
    the file is open. Which pages are the image says `unet_exp.images.tiff_pages`. A damaged or
    cut file raises some exception of tifffile's or its codecs', here or when a slice is read.
    """
    with open_series(path) as (file, image):
        key = image.key
        if image.dtype is None:
            raise ValueError(f"its pixels are of a type that is not read ({key.bitspersample} bit)")
        pages = size(image.shape) // max(size(key.shape), 1)
        declared = size(image.shape, image.dtype.itemsize)
        require_plausible(declared, [path.stat().st_size], pages)
        display = display_of(path, key)
        image.require_alike()
        alpha = any(kind in (1, 2) for kind in getattr(key, "extrasamples", ()))
        if declared <= in_memory:
            require_memory(declared, "it")
        arrays = [_array(path, file, part, declared <= in_memory) for part in image.parts]
        array = arrays[0] if len(arrays) == 1 else Joined(arrays, image.leading)
        refuse_cut()
        tags = read_tags(file, image.shape)
        tags = tags.transposed() if display.transposed else tags
        yield array, display.axes(image.axes), alpha, tags, display


def _array(path: Path, file: TiffFile, series: TiffPageSeries, at_once: bool) -> Any:
    """Read pages that are stored alike, or open them to be read by slices."""
    if at_once:
        return series.asarray().reshape(series.shape)
    if series.dataoffset is not None:
        dtype = np.dtype(series.dtype).newbyteorder(file.byteorder)
        return Mapped(path, series.dataoffset, dtype, series.shape)
    key = series.keyframe
    require_memory(size(key.chunks, np.dtype(series.dtype).itemsize), "one of its strips or tiles")
    return zarr.open_array(series.aszarr(level=0), mode="r")


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
        if path.stat().st_size < offset + size(shape, dtype.itemsize):
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
