"""Choose the image in a TIFF: the one with the largest pages."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from tifffile import TiffFile, TiffPage, TiffPageSeries

from unet_exp.arrays import MappedArray
from unet_exp.images.limits import size

#: Kinds of files without further structure than a sequence of pages.
PLAIN_KINDS = ("", "generic", "uniform", "shaped", "imagej", "nih")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TiffImage:
    """The image in a TIFF.

    Attributes
    ----------
    parts
        tifffile's series of the pages in order. There are several only if, for example, the
        compression changes from page to page.
    shape, axes
        Shape and axes of the whole image; the last axes are those of a page.
    """

    parts: Sequence[TiffPageSeries]
    shape: tuple[int, ...]
    axes: str

    @property
    def first_page(self) -> TiffPage:
        """The page whose tags are used for all pages."""
        return self.parts[0].keyframe

    def require_alike(self) -> None:
        """Refuse pages of one image that are displayed differently."""
        if len(self.parts) == 1 and self.parts[0].kind not in ("", "generic", "uniform"):
            return
        pages = [page.aspage() for part in self.parts for page in part if page is not None]
        if len({tuple(page.tags.valueof(tag) for tag in (258, 262, 274)) for page in pages}) > 1:
            raise ValueError(
                "its pages differ in Orientation, PhotometricInterpretation or BitsPerSample"
            )


def choose_image(path: Path, file: TiffFile, series: list[TiffPageSeries]) -> TiffImage:
    """Choose the image with the largest pages that is no thumbnail or mask; log the others.

    Images with pages of the same size and type are read as one image, because some programs begin a
    new image for each page, or when the compression changes.
    """
    whole = [s for s in series if not (s.keyframe.is_reduced or s.keyframe.is_mask)]
    candidates = [s for s in whole or series if size(s.shape)]
    if not candidates:
        raise ValueError("it has no pixels")
    chosen = max(candidates, key=lambda s: (size(_sides(s)), size(s.shape)))
    same_size = [s for s in candidates if _sides(s) == _sides(chosen)]
    alike = [s for s in same_size if _type(s) == _type(chosen)]
    if chosen.kind not in (*PLAIN_KINDS, "ome"):
        alike = same_size = [chosen]
    _refuse_several_types(same_size, alike)
    image = _join(file, alike)
    if others := ", ".join(str(s.shape) for s in series if s not in alike):
        logger.warning(
            "%s also holds images of shape %s; they are not read. The largest is, of shape %s.",
            path, others, image.shape,
        )  # fmt: skip
    if len(alike) > 1:
        logger.warning(
            "%s holds %d images of the same size and type: their pages are read as one stack, of "
            "shape %s.", path, len(alike), image.shape,
        )  # fmt: skip
    return image


def _sides(series: TiffPageSeries) -> tuple[int, int]:
    return series.keyframe.imagelength, series.keyframe.imagewidth


def _type(series: TiffPageSeries) -> tuple[Any, ...]:
    return series.dtype, series.keyframe.shape


def _page_index(page: Any) -> tuple[int, ...]:
    """Return the index of a page in its file, or in the page that contains it."""
    return page.index if isinstance(page.index, tuple) else (page.index,)


def _refuse_several_types(same_size: list[TiffPageSeries], alike: list[TiffPageSeries]) -> None:
    """Refuse pages of one size and several types, because any of them may be the image.

    In OME files, separate images are left out if they come before or after the others.
    """
    others = [s for s in same_size if s not in alike]
    if not others:
        return
    indices, others_indices = (
        [_page_index(page) for s in found for page in s if page is not None]
        for found in (alike, others)
    )
    between = any(min(indices) < index < max(indices) for index in others_indices)
    if between or any(s.kind in PLAIN_KINDS[1:] for s in same_size):
        types = sorted({f"{s.dtype} {s.keyframe.shape}" for s in same_size})
        raise ValueError(
            f"its pages of one size differ in type ({', '.join(types)}), and any of them may be "
            "the image: save each type as a file of its own"
        )


def _join(file: TiffFile, alike: list[TiffPageSeries]) -> TiffImage:
    """Join series of one size and type to an image, with the pages in the order of the file."""
    first, frame = alike[0], alike[0].keyframe
    is_mixed = any(len({page.hash for page in s if page is not None}) > 1 for s in alike)
    if len(alike) == 1 and not is_mixed:
        return TiffImage([first], first.shape, first.axes)
    parts: list[TiffPageSeries] = []
    for series in alike:
        pages = [p.aspage() for p in dict.fromkeys(page for page in series if page is not None)]
        planes = size(series.shape) // size(frame.shape)
        # A single page may be followed by many planes without pages.
        each = [(page, 1) for page in pages]
        for page, count in each if len(pages) == planes else [(series.keyframe, planes)]:
            shape, axes = (count, *page.shape), f"I{page.axes}"
            options = {"parent": file, "kind": series.kind, "squeeze": False}
            parts.append(TiffPageSeries([page], shape, page.dtype, axes, **options))
    if len(alike) == 1 and first.shape[first.ndim - frame.ndim :] == frame.shape:
        return TiffImage(parts, first.shape, first.axes)
    parts.sort(key=lambda part: _page_index(part.keyframe))
    count = sum(part.shape[0] for part in parts)
    return TiffImage(parts, (count, *frame.shape), f"I{frame.axes}")


def joined_array(arrays: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Join arrays of pages to an array of this shape that is read by slices."""
    if len(arrays) == 1:
        return arrays[0]
    pages = [(array, index) for array in arrays for index in range(array.shape[0])]
    leading = shape[: len(shape) - len(arrays[0].shape) + 1]
    numbers = np.arange(len(pages)).reshape(leading)

    def read(source: Any, key: tuple[Any, ...]) -> Shaped[np.ndarray, "..."]:
        chosen = numbers[key[: len(leading)]]
        found = []
        for number in chosen.ravel():
            array, index = source[number]
            found.append(np.asarray(array[(index, *key[len(leading) :])]))
        return np.stack(found).reshape(*chosen.shape, *found[0].shape)

    return MappedArray(pages, read, shape, arrays[0].dtype)
