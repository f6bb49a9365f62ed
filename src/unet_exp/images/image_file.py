"""Image files of any kind and size, opened: pages whose pixels are read as they are used."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.images.display import Display, inverted, inverted_number, say_once
from unet_exp.images.limits import (
    MOST_PAGES,
    TooLargeError,
    gib,
    require_memory,
    require_plausible,
    size,
)
from unet_exp.images.nodata import NoData, NoneAtAll
from unet_exp.images.ome_zarr import is_zarr, open_zarr
from unet_exp.images.png import read_png
from unet_exp.images.scaling import Channel, bands
from unet_exp.images.tags import Tags
from unet_exp.images.tiff import Layout, Mapped, axes_of_plain, layout, open_tiff

logger = logging.getLogger(__name__)
SUFFIXES = (".png", ".tif", ".tiff", ".lsm", ".npy")
IN_MEMORY = 2**27
"""Bytes up to which a file is read at once."""


@dataclass(frozen=True)
class ImageFile:
    """An image file, for as long as it is open.

    Attributes
    ----------
    pages
        Of shape (channels, height, width) each; anything else in the file is an axis of pages.
    axes, shape
        Names and lengths of the axes that the pages stand in, such as "TZ" and (10, 5): last
        varies fastest. Empty for a single page; names among ``tiff.UNNAMED`` are not known.
    tags
        What the file says of its pixels.
    display
        How the file says that its numbers are shown. Pages are read so already, but for
        ``display.white`` where grey values were to be kept.
    """

    pages: "list[Page]"
    axes: str
    shape: tuple[int, ...]
    tags: Tags
    display: Display

    def no_data(self, declared: NoData) -> NoData:
        """Return the numbers of its pages that stand for no data: those declared, or the file's.

        Both are compared with the numbers that are stored, so they are inverted as pages are.
        """
        page = self.pages[0]
        if not declared and not isinstance(declared, NoneAtAll) and self.display.nodata:
            declared = self.display.nodata
            say_once(
                page.path.parent,
                f"its GDAL_NODATA tag says that {declared[0]:g} stands where there are no data: "
                "such pixels count for nothing. To say otherwise, set dataset.nodata=VALUE, or "
                "dataset.nodata=[] for none (in predict.py nodata=[]).",
                page.path.name,
            )
        if not declared or not page.invert:
            return declared
        return tuple(inverted_number(value, page.dtype, self.display.white) for value in declared)


class Page:
    """A page (c, h, w) of a larger array, read by slices of rows and columns as it is shown."""

    def __init__(
        self,
        path: Path,
        array: Any,
        places: Layout,
        at: tuple[int, ...],
        channels: int,
        display: Display,
        invert: bool,
    ) -> None:
        self.path, self.array, self.places, self.at = path, array, places, at
        self.display, self.invert = display, invert
        self.shape = channels, array.shape[places.rows], array.shape[places.columns]
        self.dtype = np.dtype(np.uint8 if array.dtype == bool else array.dtype)

    def __getitem__(self, key: tuple[Any, ...]) -> Shaped[np.ndarray, "c h w"]:
        """Read pixels.

        Raises
        ------
        ValueError
            The file is damaged there.
        """
        places, rows, columns = self.places, *key[-2:]
        index: list[Any] = [0] * len(self.array.shape)
        for axis, number in zip(places.pages, self.at, strict=True):
            index[axis] = number
        for axis in places.channels:
            index[axis] = slice(None)
        index[places.rows] = mirrored(rows, self.shape[1]) if self.display.upwards else rows
        index[places.columns] = (
            mirrored(columns, self.shape[2]) if self.display.leftwards else columns
        )
        with damage_named(self.path):
            pixels = np.asarray(self.array[tuple(index)], self.dtype)
        kept = sorted((*places.channels, places.rows, places.columns))
        order = [kept.index(a) for a in (*places.channels, places.rows, places.columns)]
        pixels = pixels.transpose(order)
        pixels = pixels.reshape(-1, *pixels.shape[-2:])[: self.shape[0]]
        steps = [-1 if flipped else 1 for flipped in (self.display.upwards, self.display.leftwards)]
        pixels = pixels[:, :: steps[0], :: steps[1]]
        if self.invert:
            pixels = inverted(pixels, self.display.white)
        return pixels[key[0]] if len(key) == 3 else pixels


def mirrored(part: slice, length: int) -> slice:
    """Return the part of an axis that becomes the given one where the axis is turned round.

    >>> mirrored(slice(0, 3), 10), mirrored(slice(None), 10)
    (slice(7, 10, None), slice(0, 10, None))
    """
    start, stop, _ = part.indices(length)
    return slice(length - max(stop, start), length - start)


@contextmanager
def open_image(
    path: Path,
    channels: int | None = None,
    pages: int | None = None,
    in_memory: int = IN_MEMORY,
    min_is_white: str = "auto",
) -> Iterator[ImageFile]:
    """Open a PNG, TIFF, NPY file or an OME-Zarr folder.

    Colours come as red, green, blue; an opaque alpha channel is left out. The axes that the file
    names decide which of them are channels; the planes of a file that does not say count as
    pages, unless they fit only as channels: there are ``channels`` of them (more than one), or a
    single page is expected (``pages=1``). Files of more than ``in_memory`` bytes are read by
    slices, if their format allows (PNG does not). Pages are turned as a TIFF says that they are
    shown, and where 0 is white they are inverted, as ``min_is_white`` ("auto", "invert", "keep")
    and `display.Display.inverts` say.

    Raises
    ------
    ValueError
        The file is damaged, cut short, empty, of another format or says that it holds more than
        `unet_exp.images.limits` allows; the message names it.
    OSError
        It is not there, or may not be read.
    """
    with ExitStack() as closing:
        with damage_named(path):
            array, axes, alpha, tags, display = closing.enter_context(_open(path, in_memory))
            places = layout(tuple(array.shape), axes)
        if 0 in array.shape or np.dtype(array.dtype).kind not in "buif":
            raise ValueError(
                f"{path} holds {tuple(array.shape)} values of type {array.dtype}. "
                "Save it as 8 or 16 bit or as float32."
            )
        planes = size([array.shape[a] for a in places.pages])
        if planes > MOST_PAGES:
            raise ValueError(
                f"{path} is refused: it says that it holds {planes:,} pages, and a file may have "
                f"{MOST_PAGES:,}. Cut it into several files."
            )
        if not places.named and planes > 1 and (planes == channels or pages == 1):
            places = places.without_pages()
        shape = tuple(array.shape[a] for a in places.pages)
        count = size([array.shape[a] for a in places.channels])
        invert = display.inverts(min_is_white)
        how = (display, invert)
        found = [Page(path, array, places, at, count, *how) for at in np.ndindex(shape)]
        if alpha and count in (2, 4) and all(is_opaque(page) for page in found):
            found = [Page(path, array, places, at, count - 1, *how) for at in np.ndindex(shape)]
        yield ImageFile(found, places.letters, shape, tags, display)


class NoMemoryError(ValueError):
    """A file does not fit into memory; the message names it."""


@contextmanager
def memory_named(path: Path) -> Iterator[None]:
    """Name the file that does not fit into memory, and what helps."""
    try:
        yield
    except MemoryError as error:
        raise NoMemoryError(
            f"{path} does not fit into memory ({' '.join(str(error).split())[:160]}). Save it as a "
            "tiled TIFF or as OME-Zarr, which predict.py reads by parts, or cut it into smaller "
            "images."
        ) from error


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn whatever a codec raises at damaged data into a ValueError that names the file."""
    try:
        with memory_named(path):
            yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    except NoMemoryError:
        raise
    except TooLargeError as error:
        raise ValueError(f"{path} is refused: {error}.") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ValueError(
            f"{path} cannot be read ({reason}). It is damaged, cut short or not what its name "
            "says: copy or export it again."
        ) from error


def is_opaque(page: Page) -> bool:
    """Tell whether a page's last channel only says that every pixel is opaque."""
    top = np.iinfo(page.dtype).max if page.dtype.kind == "u" else 1
    return all(bool((band == top).all()) for band in bands(Channel(page, page.shape[0] - 1)))


@contextmanager
def _open(path: Path, in_memory: int) -> Iterator[tuple[Any, str, bool, Tags, Display]]:
    if is_zarr(path):
        array, axes, tags = open_zarr(path)
        declared = size(array.shape, array.dtype.itemsize)
        files = (p.stat().st_size for p in path.rglob("*") if p.is_file())
        planes = size([array.shape[a] for a in layout(array.shape, axes).pages])
        require_plausible(declared, files, planes)
        require_memory(size(array.chunks, array.dtype.itemsize), "one of its chunks")
        if (missing := array.nchunks - array.nchunks_initialized) > 0:
            logger.warning(
                "%s: %d of its %d chunks are not there, and count as %s. If it was copied, copy it "
                "again.", path, missing, array.nchunks, array.fill_value,
            )  # fmt: skip
        yield array, axes, False, tags, Display()
        return
    if path.exists() and not path.is_file():
        raise ValueError("neither a file nor a Zarr folder")
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(b"\x89PNG"):
        array, alpha, display = read_png(path)
        yield array, display.axes("CYX"), alpha, Tags(), display
    elif magic[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        with open_tiff(path, in_memory) as opened:
            yield opened
    elif magic.startswith(b"\x93NUMPY"):
        array = _open_npy(path, in_memory)
        yield array, axes_of_plain(array.shape), False, Tags(), Display()
    else:
        raise ValueError("neither PNG nor TIFF nor NPY")


def _open_npy(path: Path, in_memory: int) -> Any:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0
        if version >= (2, 0):
            read_header = np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        declared, held = size(shape, dtype.itemsize), path.stat().st_size - file.tell()
    if dtype.kind == "O" or min(shape, default=0) < 0:
        raise ValueError("it holds no numbers")
    # In whole numbers, since numpy's own product of a nonsensical shape overflows.
    if declared > held:
        raise ValueError(f"cut short: {gib(declared)} of pixels do not fit into it")
    if declared <= in_memory:
        require_memory(declared, "it")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if declared <= in_memory:
        return np.array(array)
    return (
        Mapped(path, array.offset, array.dtype, array.shape) if array.flags.c_contiguous else array
    )
