"""Which of several images in a TIFF is meant: the one with the largest pages, with all of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from tifffile import TiffFile, TiffPage, TiffPageSeries

from unet_exp.images.limits import size

#: Kinds of files whose images are pages that a program wrote one after the other.
PLAIN_KINDS = ("", "generic", "uniform", "shaped", "imagej", "nih")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TiffImage:
    """The image in a TIFF.

    Attributes
    ----------
    parts
        tifffile's series that hold its pages, in their order, each of pages that are stored alike:
        a single one but where a program changed, say, the compression from page to page.
    shape, axes
        Of the whole image; the last axes are those of a page.
    """

    parts: Sequence[TiffPageSeries]
    shape: tuple[int, ...]
    axes: str

    @property
    def key(self) -> TiffPage:
        """The first page."""
        return self.parts[0].keyframe

    @property
    def kind(self) -> str:
        """The kind of file, as tifffile names it."""
        return self.parts[0].kind

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """Type of a sample; None for one that is not read."""
        return self.parts[0].dtype

    @property
    def leading(self) -> tuple[int, ...]:
        """Lengths of the axes that its pages stand in."""
        return self.shape[: len(self.shape) - self.key.ndim]

    def require_alike(self) -> None:
        """Refuse pages that are shown in different ways, though they make one image.

        Raises
        ------
        ValueError
            They differ in bits, Orientation or PhotometricInterpretation.
        """
        if len(self.parts) == 1 and self.kind not in ("", "generic", "uniform"):
            return
        pages = [page.aspage() for part in self.parts for page in part if page is not None]
        found = {tuple(page.tags.valueof(tag) for tag in (258, 262, 274)) for page in pages}
        if len(found) > 1:
            raise ValueError(
                "its pages differ in Orientation, PhotometricInterpretation or BitsPerSample"
            )


class Joined:
    """Arrays of pages of one size, read as a single array of the given leading axes."""

    def __init__(self, arrays: Sequence[Any], leading: tuple[int, ...]) -> None:
        self.arrays, self.leading = arrays, leading
        #: Of each page, its array and its place in there.
        self.places = [(a, i) for a, array in enumerate(arrays) for i in range(array.shape[0])]
        self.shape = (*leading, *arrays[0].shape[1:])
        self.ndim, self.dtype = len(self.shape), np.dtype(arrays[0].dtype)

    def __getitem__(self, key: tuple[Any, ...]) -> Shaped[np.ndarray, "..."]:
        """Read a part, given by a number or a slice for each axis."""
        depth = len(self.leading)
        numbers = np.arange(len(self.places)).reshape(self.leading)[key[:depth]]
        found = [self._read(int(number), key[depth:]) for number in numbers.ravel()]
        return np.stack(found).reshape(*numbers.shape, *found[0].shape)

    def _read(self, number: int, key: tuple[Any, ...]) -> Shaped[np.ndarray, "..."]:
        array, place = self.places[number]
        return np.asarray(self.arrays[array][(place, *key)])


def choose(path: Path, file: TiffFile, series: list[TiffPageSeries]) -> TiffImage:
    """Choose the image with the largest pages among those that are no thumbnail and no mask.

    Images of pages of one size and type are one image: programs begin another where, say, the
    compression changes, or for each page that they write.

    Raises
    ------
    ValueError
        There are no pixels, or pages of one size are of several types.
    """
    whole = [s for s in series if not (s.keyframe.is_reduced or s.keyframe.is_mask)]
    candidates = [s for s in whole or series if size(s.shape)]
    if not candidates:
        raise ValueError("it has no pixels")
    chosen = max(candidates, key=lambda s: (_area(s), size(s.shape)))
    of_size = [s for s in candidates if _sides(s) == _sides(chosen)]
    alike = [s for s in of_size if _type(s) == _type(chosen)]
    if chosen.kind not in (*PLAIN_KINDS, "ome"):
        alike = of_size = [chosen]
    _refuse_several_types(of_size, alike)
    others = ", ".join(str(s.shape) for s in series if s not in alike)
    image = _joined(file, alike)
    if others:
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


def _area(series: TiffPageSeries) -> int:
    return size(_sides(series))


def _type(series: TiffPageSeries) -> tuple[Any, ...]:
    return series.dtype, series.keyframe.shape


def _refuse_several_types(of_size: list[TiffPageSeries], alike: list[TiffPageSeries]) -> None:
    """Refuse pages of one size and several types, of which the frames may be any.

    What a file of OME's lists as an image of its own, before or after the others, may be left out.
    """
    apart = [s for s in of_size if s not in alike]
    if not apart:
        return
    inside = [_number(p) for s in alike for p in s if p is not None]
    between = any(min(inside) < _number(p) < max(inside) for s in apart for p in s if p is not None)
    if between or any(s.kind in PLAIN_KINDS[1:] for s in of_size):
        types = sorted({f"{s.dtype} {s.keyframe.shape}" for s in of_size})
        raise ValueError(
            f"its pages of one size differ in type ({', '.join(types)}), so that it is not plain "
            "which are the image: save each kind as a file of its own"
        )


def _number(page: Any) -> tuple[int, ...]:
    """Return where a page stands in its file; of a page within another, where it stands there."""
    return page.index if isinstance(page.index, tuple) else (page.index,)


def _joined(file: TiffFile, alike: list[TiffPageSeries]) -> TiffImage:
    """Make one image of series of one size and type, its pages in the order of the file."""
    first, frame = alike[0], alike[0].keyframe
    mixed = any(len({p.hash for p in s if p is not None}) > 1 for s in alike)
    if len(alike) == 1 and not mixed:
        return TiffImage([first], first.shape, first.axes)
    parts: list[TiffPageSeries] = []
    for series in alike:
        # A single page may stand for many planes behind it.
        pages = list(dict.fromkeys(page for page in series if page is not None))
        count = size(series.shape) // size(frame.shape)
        each = [series] if len(pages) != count else pages
        for one in each:
            several = count if one is series else 1
            page = one.keyframe if isinstance(one, TiffPageSeries) else one.aspage()
            stored = (several, *page.shape), page.dtype, f"I{page.axes}"
            options = {"parent": file, "kind": series.kind, "squeeze": False}
            parts.append(TiffPageSeries([page], *stored, **options))
    count = sum(part.shape[0] for part in parts)
    if len(alike) == 1 and first.shape[first.ndim - frame.ndim :] == frame.shape:
        return TiffImage(parts, first.shape, first.axes)
    parts.sort(key=lambda part: _number(part.keyframe))
    return TiffImage(parts, (count, *frame.shape), f"I{frame.axes}")
