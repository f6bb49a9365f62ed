"""What can be seen of one label image: its numbers, and in how many pieces each of them lies."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from jaxtyping import Bool, Int32, Shaped
from scipy import ndimage

from unet_exp.datasets.labels.numbering import Numbers, places

LOOKED_AT = 200
"""Numbers of an image whose pieces are counted, spread evenly."""
CLASSES = 31
"""The last class that is recognised as one."""
UNKNOWN = 255  # as a class


@dataclass(frozen=True)
class Seen:
    """The numbers of a label image.

    Attributes
    ----------
    name
        What messages call the image.
    values
        The numbers above 0 in rising order, what is known to mean unknown left out.
    pieces
        For the numbers, or up to `LOOKED_AT` of them: how many of its 8-connected pieces, largest
        first, it takes to cover nine tenths of a number's pixels.
    scattered
        Fewer than four fifths of the numbers form a single piece, 255 aside, which may mean
        unknown; fewer than a half where there are numbers above `CLASSES`, which are no classes.
    grainy
        More than half of ten numbers or more are single pixels, as of grey values.
    blurred
        Shades that no area is filled with lie between 0 and the largest number, as at the edges of
        a mask that was resized, or saved as JPEG.
    """

    name: str
    values: tuple[int, ...]
    pieces: tuple[int, ...]
    scattered: bool = False
    grainy: bool = False
    blurred: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, name: str, page: Numbers, ignore: int | None = None, look: bool = True) -> "Seen":
        """Look at an image; without ``look`` its pieces are not counted.

        >>> Seen.of("a.png", np.array([[1, 0, 1, 0, 7, -1]]))
        Seen(name='a.png', values=(1, 7), pieces=(2, 1), scattered=True, grainy=False)
        """
        values, at = places(page)
        chosen = [i for i, v in enumerate(values.tolist()) if v > 0 and v != ignore]
        numbers = tuple(int(values[i]) for i in chosen)
        if not look or not chosen:
            return cls(name, numbers, ())
        found = cls._looked_at(name, numbers, values, at, chosen)
        return replace(found, blurred=is_blurred(page, numbers[-1]))

    @classmethod
    def _looked_at(
        cls,
        name: str,
        numbers: tuple[int, ...],
        values: Shaped[np.ndarray, " n"],
        at: Int32[np.ndarray, "h w"],
        chosen: list[int],
    ) -> "Seen":
        """Count the pieces of the numbers, which are the ``chosen`` ones of all values."""
        pixels = np.bincount(at.ravel())[chosen]
        if len(chosen) >= 10 and 2 * (pixels == 1).sum() > len(chosen):
            return cls(name, numbers, (), grainy=True)
        picked = chosen[:: -(-len(chosen) // LOOKED_AT)]
        boxes = ndimage.find_objects(at + 1)
        pieces = [_pieces(at[boxes[i]] == i) for i in picked]
        classes = [n for n, i in zip(pieces, picked, strict=True) if values[i] != UNKNOWN] or pieces
        enough = (
            0.8 if max(v for v in numbers if v != UNKNOWN or len(numbers) == 1) <= CLASSES else 0.5
        )
        return cls(name, numbers, tuple(pieces), classes.count(1) < enough * len(classes))

    @property
    def numbered(self) -> bool:
        """Three numbers or more, 255 aside, four fifths of which lie in a single piece."""
        several = len([v for v in self.values if v != UNKNOWN]) >= 3 and bool(self.pieces)
        return several and not self.scattered and self.pieces.count(1) >= 0.8 * len(self.pieces)


def is_blurred(page: Numbers, top: int) -> bool:
    """Tell whether a page is a mask of 0 and ``top`` whose edges were smoothed.

    At least four numbers lie between (from a twentieth of the top to as much below it), and of
    their pixels, which are not most of the page, fewer than a tenth lie amid others of the same
    number, as most of an object do.

    >>> is_blurred(np.array([[0, 0, 0, 50, 130, 200, 230, 255, 255, 255]] * 4), 255)
    True
    >>> is_blurred(np.repeat(np.arange(9).repeat(5)[None], 5, axis=0), 8)
    False
    """
    between = (page > 0.05 * top) & (page < 0.95 * top)
    if 2 * np.count_nonzero(between) > page.size or len(np.unique(page[between])) < 4:
        return False
    amid = np.zeros(page.shape, bool)
    rows, columns = page[1:] == page[:-1], page[:, 1:] == page[:, :-1]
    amid[1:-1, 1:-1] = rows[:-1, 1:-1] & rows[1:, 1:-1] & columns[1:-1, :-1] & columns[1:-1, 1:]
    ends = (page == 0).any() and (page >= 0.95 * top).any()
    return bool(ends and np.count_nonzero(amid & between) < 0.1 * np.count_nonzero(between))


def _pieces(mask: Bool[np.ndarray, "h w"]) -> int:
    """Count the largest pieces that cover nine tenths of a mask."""
    sizes = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2]
    areas = np.sort(sizes[1:, cv2.CC_STAT_AREA])[::-1]
    return int(np.searchsorted(areas.cumsum(), 0.9 * areas.sum())) + 1
