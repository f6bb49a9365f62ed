"""Open image files of any format and size, and read their pages by slices."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.arrays import MappedArray, SlicedArray
from unet_exp.images.display import Display, invert_number, inverted, warn_once
from unet_exp.images.errors import naming_damage, naming_memory_errors, naming_refusal
from unet_exp.images.formats import open_stored
from unet_exp.images.limits import MOST_PAGES, size
from unet_exp.images.nodata import NoData, NoneAtAll
from unet_exp.images.scaling import channel_of, row_bands
from unet_exp.images.selection import EVERYTHING, Selection
from unet_exp.images.stored_image import UNNAMED, Layout, StoredImage, find_layout, guess_axes
from unet_exp.images.tags import Tags

IN_MEMORY = 2**27
"""Bytes of pixels up to which a file is read at once."""


@dataclass(frozen=True)
class ImageFile:
    """An open image file.

    Attributes
    ----------
    pages
        Arrays (channels, height, width) in the displayed orientation. They are read by slices
        while the file is open.
    axes, shape
        Names and lengths of the axes of pages, such as "TZ" and (10, 5); the last one varies
        fastest. Empty for a single page. Letters in ``stored_image.UNNAMED`` are axes without a
        name.
    inverted
        Whether grey values are inverted because 0 is white.
    """

    path: Path
    pages: Sequence[SlicedArray]
    axes: str
    shape: tuple[int, ...]
    tags: Tags
    display: Display
    inverted: bool

    def stack(self) -> Shaped[np.ndarray, "n c h w"]:
        """Read all pages."""
        with naming_memory_errors(self.path):
            return np.stack([page[:, :, :] for page in self.pages])

    def find_nodata(self, declared: NoData) -> NoData:
        """Return the numbers in the pages that mean no data: the declared ones, else the file's.

        Both refer to stored numbers, so they are inverted if the pages are.
        """
        if not declared and not isinstance(declared, NoneAtAll) and self.display.nodata:
            declared = self.display.nodata
            warn_once(
                self.path,
                f"its GDAL_NODATA tag says that {declared[0]:g} means no data: such pixels are "
                "ignored. To change this, set dataset.nodata=VALUE, or dataset.nodata=[] for none "
                "(in predict.py nodata=[]).",
            )
        if not declared or not self.inverted:
            return declared
        dtype, bits = self.pages[0].dtype, self.display.white_bits
        return tuple(invert_number(value, dtype, bits) for value in declared)


@contextmanager
def open_image(
    path: Path,
    channels: int | None = None,
    pages: int | None = None,
    in_memory: int = IN_MEMORY,
    min_is_white: str = "auto",
    selection: Selection = EVERYTHING,
) -> Iterator[ImageFile]:
    """Open an image file of any format in `unet_exp.images.formats`, or an OME-Zarr folder.

    Colours are in the order red, green, blue. An opaque alpha channel is left out. Pages have the
    displayed orientation. ``min_is_white`` is described in `display.Display.inverts`.

    Parameters
    ----------
    channels, pages
        Expected numbers, for a file that does not name its axes. Its planes are channels if there
        are ``channels`` of them (more than one), or if ``pages`` is 1; else they are pages.
    in_memory
        Bytes up to which all pixels are read at once. Larger files are read by slices if the
        format allows it (PNG does not).
    selection
        Series, axes and channels to read.

    Raises ValueError that names the file if it is damaged, empty, or of another format, if it lacks
    the selected series, axes or channels, or if it is larger than `unet_exp.images.limits` allows.
    Raises OSError if the file is missing or cannot be read.
    """
    with ExitStack() as closing:
        with naming_damage(path):
            stored = closing.enter_context(open_stored(path, in_memory, selection.series))
            array, display = stored.array, stored.display
        with naming_refusal(path):
            axes = selection.named(stored.axes or UNNAMED, len(array.shape))
        with naming_damage(path):
            axes = axes if axes != UNNAMED else guess_axes(array.shape)
            layout = find_layout(tuple(array.shape), axes)
        if 0 in array.shape or np.dtype(array.dtype).kind not in "buif":
            raise ValueError(
                f"{path} holds {tuple(array.shape)} values of type {array.dtype}. "
                "Save it as 8 or 16 bit or as float32."
            )
        planes = size([array.shape[axis] for axis in layout.pages])
        if planes > MOST_PAGES:
            raise ValueError(
                f"{path} is refused: it claims to hold {planes:,} pages, and a file may have "
                f"{MOST_PAGES:,}. Cut it into several files."
            )
        if not layout.is_named and planes > 1 and (planes == channels or pages == 1):
            layout = replace(
                layout, pages=(), channels=(*layout.pages, *layout.channels), letters=""
            )
        invert = display.inverts(min_is_white)
        shape = tuple(array.shape[axis] for axis in layout.pages)
        count = size([array.shape[axis] for axis in layout.channels])
        found = _pages(path, stored, layout, count, invert)
        if stored.alpha and count in (2, 4) and all(map(_is_opaque, found)):
            count -= 1
            found = _pages(path, stored, layout, count, invert)
        if selection.channels is not None:
            with naming_refusal(path):
                count = selection.count(count, "S" in axes)
            found = [_selected(page, selection, count) for page in found]
        yield ImageFile(path, found, layout.letters, shape, stored.tags, display, invert)


def open_whole(
    path: Path,
    channels: int | None = None,
    pages: int | None = None,
    min_is_white: str = "auto",
    selection: Selection = EVERYTHING,
) -> AbstractContextManager[ImageFile]:
    """Open an image file as `open_image` does, and read all its pixels at once."""
    return open_image(path, channels, pages, 2**62, min_is_white, selection)


def _pages(
    path: Path, stored: StoredImage, layout: Layout, channels: int, invert: bool
) -> list[MappedArray]:
    """Return the pages of a stored image with their first ``channels`` channels."""
    array, display = stored.array, stored.display
    height, width = array.shape[layout.rows], array.shape[layout.columns]
    dtype = np.dtype(np.uint8 if array.dtype == bool else array.dtype)

    def page(index: tuple[int, ...]) -> MappedArray:
        def read(array: Any, key: tuple[slice, ...]) -> Shaped[np.ndarray, "c h w"]:
            chosen, rows, columns = key
            rows = mirror_slice(rows, height) if display.upwards else rows
            columns = mirror_slice(columns, width) if display.leftwards else columns
            with naming_damage(path):
                pixels = layout.read(array, index, rows, columns).astype(dtype, copy=False)
            pixels = display.flip(pixels[:channels][chosen])
            return inverted(pixels, display.white_bits) if invert else pixels

        return MappedArray(array, read, (channels, height, width), dtype)

    shape = tuple(array.shape[axis] for axis in layout.pages)
    return [page(index) for index in np.ndindex(shape)]


def _selected(page: MappedArray, selection: Selection, count: int) -> MappedArray:
    """Return a page with ``count`` channels, chosen or made when they are read."""

    def read(source: Any, key: tuple[slice, ...]) -> Shaped[np.ndarray, "c h w"]:
        chosen, *place = key
        return selection.apply(source[(slice(None), *place)])[chosen]

    return MappedArray(page, read, (count, *page.shape[1:]))


def mirror_slice(part: slice, length: int) -> slice:
    """Return the slice of a reversed axis that holds a part of the axis.

    >>> mirror_slice(slice(0, 3), 10), mirror_slice(slice(None), 10)
    (slice(7, 10, None), slice(0, 10, None))
    """
    start, stop, _ = part.indices(length)
    return slice(length - max(stop, start), length - start)


def _is_opaque(page: MappedArray) -> bool:
    """Return whether all values of a page's last channel are the largest of their type."""
    top = np.iinfo(page.dtype).max if page.dtype.kind == "u" else 1
    return all(bool((band == top).all()) for band in row_bands(channel_of(page, -1)))
