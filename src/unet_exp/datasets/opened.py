"""Image files of any kind and size, opened: pages whose pixels are read as they are used."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Shaped

from unet_exp.datasets.ome_zarr import is_zarr, open_zarr
from unet_exp.datasets.scaling import Channel, bands
from unet_exp.datasets.tags import Tags
from unet_exp.datasets.tiff import Layout, Mapped, axes_of_plain, layout, open_tiff

SUFFIXES = (".png", ".tif", ".tiff", ".lsm", ".npy")
IN_MEMORY = 2**27
"""Bytes up to which a file is read at once."""


@dataclass(frozen=True)
class Opened:
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
    """

    pages: "list[Page]"
    axes: str
    shape: tuple[int, ...]
    tags: Tags


class Page:
    """A page (c, h, w) of a larger array, read by slices of rows and columns."""

    def __init__(
        self, path: Path, array: Any, places: Layout, at: tuple[int, ...], channels: int
    ) -> None:
        self.path, self.array, self.places, self.at = path, array, places, at
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
        index[places.rows], index[places.columns] = rows, columns
        with damage_named(self.path):
            pixels = np.asarray(self.array[tuple(index)], self.dtype)
        kept = sorted((*places.channels, places.rows, places.columns))
        order = [kept.index(a) for a in (*places.channels, places.rows, places.columns)]
        pixels = pixels.transpose(order)
        pixels = pixels.reshape(-1, *pixels.shape[-2:])[: self.shape[0]]
        return pixels[key[0]] if len(key) == 3 else pixels


@contextmanager
def open_image(
    path: Path,
    channels: int | None = None,
    pages: int | None = None,
    in_memory: int = IN_MEMORY,
) -> Iterator[Opened]:
    """Open a PNG, TIFF, NPY file or an OME-Zarr folder.

    Colours come as red, green, blue; an opaque alpha channel is left out. The axes that the file
    names decide which of them are channels; the planes of a file that does not say count as
    pages, unless they fit only as channels: there are ``channels`` of them (more than one), or a
    single page is expected (``pages=1``). Files of more than ``in_memory`` bytes are read by
    slices, if their format allows (PNG does not).

    Raises
    ------
    ValueError
        The file is damaged, cut short, empty or of another format; the message names it.
    OSError
        It is not there, or may not be read.
    """
    with ExitStack() as closing:
        with damage_named(path):
            array, axes, alpha, tags = closing.enter_context(_open(path, in_memory))
            places = layout(tuple(array.shape), axes)
        if 0 in array.shape or np.dtype(array.dtype).kind not in "buif":
            raise ValueError(
                f"{path} holds {tuple(array.shape)} values of type {array.dtype}. "
                "Save it as 8 or 16 bit or as float32."
            )
        planes = int(np.prod([array.shape[a] for a in places.pages]))
        if not places.named and planes > 1 and (planes == channels or pages == 1):
            places = places.without_pages()
        shape = tuple(array.shape[a] for a in places.pages)
        count = int(np.prod([array.shape[a] for a in places.channels]))
        found = [Page(path, array, places, at, count) for at in np.ndindex(shape)]
        if alpha and count in (2, 4) and all(is_opaque(page) for page in found):
            found = [Page(path, array, places, at, count - 1) for at in np.ndindex(shape)]
        yield Opened(found, places.letters, shape, tags)


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn whatever a codec raises at damaged data into a ValueError that names the file."""
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise ValueError(
            f"{path} cannot be read ({reason}). It is damaged, cut short or not what its name "
            "says: copy or export it again."
        ) from error


def is_opaque(page: Page) -> bool:
    """Tell whether a page's last channel only says that every pixel is opaque."""
    top = np.iinfo(page.dtype).max if page.dtype.kind == "u" else 1
    return all(bool((band == top).all()) for band in bands(Channel(page, page.shape[0] - 1)))


@contextmanager
def _open(path: Path, in_memory: int) -> Iterator[tuple[Any, str, bool, Tags]]:
    if is_zarr(path):
        array, axes, tags = open_zarr(path)
        yield array, axes, False, tags
        return
    with path.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(b"\x89PNG"):
        array, alpha = _read_png(path.read_bytes())
        yield array, "CYX", alpha, Tags()
    elif magic[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        with open_tiff(path, in_memory) as opened:
            yield opened
    elif magic.startswith(b"\x93NUMPY"):
        array = _open_npy(path, in_memory)
        yield array, axes_of_plain(array.shape), False, Tags()
    else:
        raise ValueError("neither PNG nor TIFF nor NPY")


def _read_png(data: bytes) -> tuple[Shaped[np.ndarray, "c h w"], bool]:
    if b"IEND" not in data:
        raise ValueError("the end of the picture is missing")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("OpenCV cannot decode it")
    if picture.ndim == 2:
        return picture[None], False
    grey_and_alpha = data[25] == 4  # the header's colour type; OpenCV makes four channels of it
    order = [0, 3] if grey_and_alpha else [2, 1, 0, 3][: picture.shape[2]]
    return np.moveaxis(picture[..., order], 2, 0), len(order) in (2, 4)


def _open_npy(path: Path, in_memory: int) -> Any:
    # A map first: it is refused where the file is shorter than its header says.
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.nbytes <= in_memory:
        return np.array(array)
    return (
        Mapped(path, array.offset, array.dtype, array.shape) if array.flags.c_contiguous else array
    )
