"""The images in a TIFF: the pages and axes of each.

The metadata are used if they describe this file; pages of other files are ignored. A file that
lacks pages is refused as cut short. If the metadata are invalid, the pages are read without them.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tifffile import TiffFile, TiffPageSeries

from unet_exp.images.errors import one_line
from unet_exp.images.limits import TooLargeError, size
from unet_exp.images.ome import OmeError, planes_in_file
from unet_exp.images.tags import imagej_values, is_ome_xml
from unet_exp.images.tiff_chain import CutError, check_chain
from unet_exp.images.tiff_images import PLAIN_KINDS

#: Kinds of TIFF for which tifffile opens other files.
SETS: dict[str, Any] = dict.fromkeys(("is_ome", "is_mmstack", "is_ndtiff"), False)
#: All kinds for which tifffile reads the pages from metadata.
KINDS = (
    "shaped", "lsm", "mmstack", "ome", "imagej", "ndtiff", "fluoview", "stk", "sis", "svs", "scn",
    "qpi", "ndpi", "bif", "avs", "eer", "philips", "scanimage", "nih", "mdgel", "uniform",
)  # fmt: skip
PLAIN: dict[str, Any] = {f"is_{kind}": False for kind in KINDS}
logger = logging.getLogger(__name__)


@contextmanager
def open_series(path: Path) -> Iterator[tuple[TiffFile, list[TiffPageSeries]]]:
    """Open a TIFF and find its images, by its metadata if they fit its pages."""
    check_chain(path)
    ways: list[tuple[dict[str, Any], Callable[[TiffFile], list[TiffPageSeries]]]] = [
        (SETS, _series_of_ome),
        (SETS, _series_of_kind),
        (PLAIN, lambda file: file.series),
    ]
    reason = ""
    with ExitStack() as closing:
        for options, find in ways:
            try:
                file = closing.enter_context(TiffFile(path, **options))
                series = find(file)
            except (CutError, TooLargeError, OSError, MemoryError):
                raise
            except Exception as error:
                if options is PLAIN:
                    raise
                reason = reason or one_line(error)
                continue
            if series:
                break
        else:
            raise ValueError("it has no pages")
        if reason:
            logger.warning(
                "%s: the metadata of its pages are invalid (%s); they are read without them.",
                path, reason,
            )  # fmt: skip
        yield file, series


def _series_of_ome(file: TiffFile) -> list[TiffPageSeries]:
    """Return the images of OME-XML with their pages in this file; none without OME-XML."""
    description = file.pages[0].aspage().description
    if not is_ome_xml(description):
        return []
    try:
        images = planes_in_file(description, file.filename, len(file.pages))
    except OmeError as error:
        raise CutError(str(error)) from error
    found = []
    for image in images:
        pages = [file.pages[i].aspage() for i in image.pages]
        _require_one_type(pages, "OME image")
        shape, axes = (*image.shape, *pages[0].shape), image.axes + pages[0].axes
        found.append(TiffPageSeries(pages, shape, pages[0].dtype, axes, parent=file))
    unnamed = set(range(len(file.pages))) - {i for image in images for i in image.pages}
    if found and unnamed:
        logger.warning(
            "%s has %d pages that its OME-XML does not name; they are not read.",
            file.filename, len(unnamed),
        )  # fmt: skip
    return found


def _require_one_type(pages: list[Any], what: str) -> None:
    if len({(page.shape, page.dtype) for page in pages}) > 1:
        raise ValueError(f"pages of one {what} differ in size or type")


def _series_of_kind(file: TiffFile) -> list[TiffPageSeries]:
    """Return tifffile's images if their pages are complete and alike, and no page is left out."""
    count = len(file.pages)
    if (planes := _declared_planes(file)) > count:
        first = file.pages[0].aspage()
        end = first.dataoffsets[0] + planes * first.nbytes if first.dataoffsets else 0
        # ImageJ and tifffile may write the pixels of all planes after a single page.
        if count > 1 or not first.is_contiguous or end > file.filehandle.size:
            raise CutError(f"cut short: it says {planes} planes, and it has {count} pages")
    named: set[Any] = set()
    hashes: set[int] = set()
    found: list[TiffPageSeries] = []
    for series in file.series:
        if len(set(series.axes)) < series.ndim or not {"Y", "X"} <= set(series.axes):
            raise ValueError(f"its axes are {series.axes!r}")
        wanted = size(series.shape) // max(size(series.keyframe.shape), 1)
        if series.dataoffset is not None:
            end = series.dataoffset + size(series.shape, series.dtype.itemsize)
            if end > file.filehandle.size:
                raise CutError(f"cut short: {wanted} pages do not fit into it")
        if count > 1:
            if len(series) != wanted:
                raise ValueError(f"{wanted} pages are named, and there are {len(series)}")
            pages = [page.aspage() for page in series if page is not None]
            _require_one_type(pages, "image")
            named |= {page.index for page in pages}
            here = {page.hash for page in pages}
            hashes |= here
            # tifffile would decode all pages like the first.
            if len(here) > 1:
                series = TiffPageSeries(
                    pages, series.shape, series.dtype, series.axes, parent=file, kind=series.kind
                )
        found.append(series)
    # Formats of other programs have further pages, such as thumbnails, but none of this type.
    rest = [] if count == 1 else [i for i in range(count) if i not in named]
    is_plain = all(series.kind in PLAIN_KINDS[-3:] for series in file.series)
    if rest and (is_plain or any(file.pages[i].aspage().hash in hashes for i in rest)):
        raise ValueError(f"{len(named)} pages are named, and there are {count}")
    return found


def _declared_planes(file: TiffFile) -> int:
    """Return the number of planes in the description of ImageJ or tifffile; 0 if it is invalid."""
    page = file.pages[0].aspage()
    if page.is_shaped:
        try:
            shape = json.loads(page.shaped_description or "")["shape"]
            return size(shape) // max(size(page.shape), 1)
        except (ValueError, TypeError, KeyError):
            return 0
    if not page.is_imagej:
        return 0
    values = imagej_values(page.imagej_description or "")
    texts = [values.get(name, "1") for name in ("frames", "slices", "channels", "images")]
    if not all(text.isascii() and text.isdigit() and int(text) for text in texts):
        return 0
    frames, slices, channels, images = map(int, texts)
    product = frames * slices * (1 if page.samplesperpixel == channels else channels)
    # The number of images must be this product, or the only number given.
    return images if images in (product, product * channels) or product == 1 else 0
