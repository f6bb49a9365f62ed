"""Which pages of a TIFF are the image, and along which axes they stand.

A file answers for itself alone: what its metadata say of pages in other files counts for nothing,
what they say of pages that should be in it and are not makes it a cut file, and where they make no
sense the pages are read without them.
"""

import json
import logging
import re
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tifffile import TiffFile, TiffPageSeries

from unet_exp.images.limits import MOST_PAGES, TooLargeError, size
from unet_exp.images.ome import OmeError, own_planes
from unet_exp.images.tiff_images import PLAIN_KINDS, TiffImage, choose

#: Kinds of TIFF that tifffile follows into other files.
SETS: dict[str, Any] = dict.fromkeys(("is_ome", "is_mmstack", "is_ndtiff"), False)
#: All kinds whose metadata tell tifffile which pages there are.
KINDS = (
    "shaped", "lsm", "mmstack", "ome", "imagej", "ndtiff", "fluoview", "stk", "sis", "svs", "scn",
    "qpi", "ndpi", "bif", "avs", "eer", "philips", "scanimage", "nih", "mdgel", "uniform",
)  # fmt: skip
PLAIN: dict[str, Any] = {f"is_{kind}": False for kind in KINDS}
#: Tags without which the pixels cannot be read.
NEEDED = {
    254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 330,
    338, 339, 347, 530,
}  # fmt: skip
logger = logging.getLogger(__name__)


class CutError(ValueError):
    """Pages that should be in the file are not there."""


class _BrokenOffsets(logging.Filter):
    """Catches what tifffile only logs: tags and pages that lie beyond the end of the file.

    A multi-page file that is cut short would otherwise come back with fewer pages. A description
    that lies beyond the end takes nothing from the pixels.
    """

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if not re.search(r"invalid ((\w+ )?offset|page offset|valueoffset)", message):
            return True
        tag = re.search(r"TiffTag (\d+)", message)
        if tag is None or int(tag[1]) in NEEDED:
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
def open_series(path: Path) -> Iterator[tuple[TiffFile, TiffImage]]:
    """Open a TIFF and find the image in it, as `tiff_images.choose` does; the log names others.

    Raises
    ------
    ValueError
        The file is cut or damaged; or tifffile's own errors.
    """
    count_pages(path)
    with ExitStack() as closing:
        file, series = _read(path, closing)
        yield file, choose(path, file, series)
        refuse_cut()


def refuse_cut() -> None:
    """Refuse a file of which tifffile noticed that something lies beyond its end."""
    if _broken.messages:
        raise CutError(f"cut short: {_broken.messages[0]}")


def _read(path: Path, closing: ExitStack) -> tuple[TiffFile, list[TiffPageSeries]]:
    """Find the images of a file, by its metadata if they fit its pages."""
    ways: list[tuple[dict[str, Any], Callable[[TiffFile], list[TiffPageSeries]]]] = [
        (SETS, _by_ome),
        (SETS, _by_kind),
        (PLAIN, lambda file: file.series),
    ]
    reasons: list[str] = []
    for options, find in ways:
        _broken.messages.clear()
        try:
            file = closing.enter_context(TiffFile(path, **options))
            count = len(file.pages)
            if _broken.messages:
                raise CutError(f"cut short after page {count}: {_broken.messages[0]}")
            series = find(file)
            refuse_cut()
            if not series:
                continue
            if reasons:
                logger.warning(
                    "%s: what it says of its pages makes no sense (%s); they are read without it.",
                    path, reasons[0],
                )  # fmt: skip
            return file, series
        except (CutError, TooLargeError, OSError, MemoryError):
            raise
        except Exception as error:
            if options is PLAIN:
                raise
            reasons.append(" ".join(f"{error}".split())[:160] or type(error).__name__)
    raise ValueError("it has no pages")


def _by_ome(file: TiffFile) -> list[TiffPageSeries]:
    """Give the images of OME-XML, of each the pages that lie in this file; none without OME-XML."""
    page = file.pages[0].aspage()
    text = page.description
    if not text[-10:].strip().endswith("OME>"):
        return []
    try:
        images = own_planes(text, file.filename, len(file.pages))
    except OmeError as error:
        raise CutError(str(error)) from error
    found, used = [], set()
    for image in images:
        pages = [file.pages[i].aspage() for i in image.pages]
        used |= set(image.pages)
        shape, axes = pages[0].shape, pages[0].axes
        if len({(page.shape, page.dtype) for page in pages}) > 1:
            raise ValueError("pages of one OME image differ in size or type")
        found.append(
            TiffPageSeries(
                pages, (*image.shape, *shape), pages[0].dtype, image.axes + axes, parent=file
            )
        )
    if found and (rest := [i for i in range(len(file.pages)) if i not in used]):
        logger.warning(
            "%s has %d pages that its OME-XML does not name; they are not read.",
            file.filename, len(rest),
        )  # fmt: skip
    return found


def _by_kind(file: TiffFile) -> list[TiffPageSeries]:
    """Give tifffile's series, if they are whole, of pages alike, and leave no page out."""
    count, named = len(file.pages), set()
    if (planes := _declared(file)) > count:
        first = file.pages[0].aspage()
        end = first.dataoffsets[0] + planes * first.nbytes if first.dataoffsets else 0
        # ImageJ and tifffile may write all planes after one page that stands for all.
        if count > 1 or not first.is_contiguous or end > file.filehandle.size:
            raise CutError(f"cut short: it says {planes} planes, and it has {count} pages")
    kinds: set[int] = set()
    found: list[TiffPageSeries] = []
    for series in file.series:
        if len(set(series.axes)) < series.ndim or not {"Y", "X"} <= set(series.axes):
            raise ValueError(f"its axes are {series.axes!r}")
        wanted = size(series.shape) // max(size(series.keyframe.shape), 1)
        if series.dataoffset is not None:
            end = series.dataoffset + size(series.shape, series.dtype.itemsize)
            if end > file.filehandle.size:
                raise CutError(f"cut short: {wanted} pages do not fit into it")
        if count == 1:
            found.append(series)
            continue
        if len(series) != wanted:
            raise ValueError(f"{wanted} pages are named, and there are {len(series)}")
        pages = [page.aspage() for page in series if page is not None]
        named |= {page.index for page in pages}
        here = {page.hash for page in pages}
        if len({(page.shape, page.dtype) for page in pages}) > 1:
            raise ValueError("pages of one image differ in size or type")
        kinds |= here
        # tifffile takes all pages of a series to be stored like its first.
        if len(here) > 1:
            series = TiffPageSeries(
                pages, series.shape, series.dtype, series.axes, parent=file, kind=series.kind
            )
        found.append(series)
    # Formats of their own have pages besides, such as thumbnails, but none like those of the image.
    rest = [] if count == 1 else [i for i in range(count) if i not in named]
    plain = all(s.kind in PLAIN_KINDS[-3:] for s in file.series)
    if rest and (plain or any(file.pages[i].aspage().hash in kinds for i in rest)):
        raise ValueError(f"{len(named)} pages are named, and there are {count}")
    return found


def _declared(file: TiffFile) -> int:
    """Return how many planes ImageJ's or tifffile's description says; 0 where it makes no sense."""
    page = file.pages[0].aspage()
    if page.is_shaped:
        try:
            said = json.loads(page.shaped_description or "")["shape"]
            return size(said) // max(size(page.shape), 1)
        except (ValueError, TypeError, KeyError):
            return 0
    if not page.is_imagej:
        return 0
    lines = (line.partition("=")[::2] for line in (page.imagej_description or "").splitlines())
    held = {name.strip(): value.strip() for name, value in lines}
    counts = [held.get(name, "1") for name in ("frames", "slices", "channels", "images")]
    if not all(number.isascii() and number.isdigit() and int(number) for number in counts):
        return 0
    frames, slices, channels, images = map(int, counts)
    product = frames * slices * (1 if page.samplesperpixel == channels else channels)
    # Nobody writes the number of images otherwise than as this product, or leaves one of them out.
    return images if images in (product, product * channels) or product == 1 else 0


def count_pages(path: Path) -> int:
    """Walk through the chain of a TIFF's pages, which may run in a circle or have no end.

    Raises
    ------
    ValueError
        It does, or it has more than ``MOST_PAGES``.
    """
    with path.open("rb") as file:
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = struct.unpack(f"{order}H", head[2:4])[0] == 43
        # The number of tags, the bytes of a tag, the place of the next page.
        count_format, tag_bytes, place_format = ("Q", 20, "Q") if big else ("H", 12, "I")
        start = 8 if big else 4
        place_bytes = struct.calcsize(place_format)
        place = head[start : start + place_bytes]
        seen: set[int] = set()
        while len(place) == place_bytes and (at := struct.unpack(order + place_format, place)[0]):
            if at in seen:
                raise ValueError(f"damaged: after page {len(seen)} its pages begin again")
            seen.add(at)
            if len(seen) > MOST_PAGES:
                raise TooLargeError(f"it has more than {MOST_PAGES:,} pages. Cut it into several")
            file.seek(at)
            entries = file.read(struct.calcsize(count_format))
            if len(entries) < struct.calcsize(count_format):
                break  # cut; tifffile says where
            file.seek(struct.unpack(order + count_format, entries)[0] * tag_bytes, 1)
            place = file.read(place_bytes)
    return len(seen)
