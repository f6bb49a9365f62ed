"""Summarise a label image: its numbers, and the connected pieces of each number."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from unet_exp.connectivity import label_components
from unet_exp.datasets.labels.numbering import Numbers, unique_inverse

MOST_COUNTED = 200
"""Largest number of values in an image whose pieces are counted."""
LAST_CLASS = 31
"""Largest number that is inferred to be a class."""
UNKNOWN = 255
"""Class that means unknown."""


@dataclass(frozen=True)
class LabelSummary:
    """The numbers of a label image.

    Attributes
    ----------
    name
        The name of the image in messages.
    values
        The numbers above 0, sorted, without the declared unknown value.
    pieces
        For each number (or for `MOST_COUNTED` evenly spaced ones): the number of its largest
        8-connected pieces that together cover nine tenths of its pixels.
    is_scattered
        Whether fewer than four fifths of the numbers form a single piece each. 255 does not count,
        because it may mean unknown. If there are numbers above `LAST_CLASS`: fewer than half.
    is_grainy
        Whether there are ten or more numbers, and most have a single pixel, like grey values.
    is_blurred
        Whether there are shades between 0 and the largest number that fill no area, as in a mask
        that was resized or saved as JPEG.
    """

    name: str
    values: tuple[int, ...]
    pieces: tuple[int, ...] = ()
    is_scattered: bool = False
    is_grainy: bool = False
    is_blurred: bool = field(default=False, repr=False)

    @classmethod
    def of(
        cls, name: str, page: Numbers, ignore: int | None = None, count_pieces: bool = True
    ) -> "LabelSummary":
        """Summarise a page. ``ignore`` is a number that means unknown.

        >>> LabelSummary.of("a.png", np.array([[1, 0, 1, 0, 7, -1]]))
        LabelSummary(name='a.png', values=(1, 7), pieces=(2, 1), is_scattered=True, is_grainy=False)
        """
        all_values, inverse = unique_inverse(page)
        chosen = [i for i, v in enumerate(all_values.tolist()) if v > 0 and v != ignore]
        values = tuple(int(all_values[i]) for i in chosen)
        summary = cls(name, values)
        if not count_pieces or not chosen:
            return summary
        is_blurred = has_blurred_edges(page, values[-1])
        areas = np.bincount(inverse.ravel())[chosen]
        if len(chosen) >= 10 and 2 * (areas == 1).sum() > len(chosen):
            return replace(summary, is_grainy=True, is_blurred=is_blurred)
        counted = chosen[:: -(-len(chosen) // MOST_COUNTED)]
        boxes = ndimage.find_objects(inverse + 1)
        pieces = {int(all_values[i]): _pieces(inverse[boxes[i]] == i) for i in counted}
        certain = [n for value, n in pieces.items() if value != UNKNOWN] or [*pieces.values()]
        largest = max(v for v in values if v != UNKNOWN or len(values) == 1)
        enough = 0.8 if largest <= LAST_CLASS else 0.5
        is_scattered = certain.count(1) < enough * len(certain)
        found = tuple(pieces.values())
        return replace(summary, pieces=found, is_scattered=is_scattered, is_blurred=is_blurred)

    @property
    def numbers_objects(self) -> bool:
        """Whether there are three or more numbers except 255, and most form a single piece each."""
        several = len([v for v in self.values if v != UNKNOWN]) >= 3 and bool(self.pieces)
        return several and not self.is_scattered and self.pieces.count(1) >= 0.8 * len(self.pieces)


def has_blurred_edges(page: Numbers, top: int) -> bool:
    """Return whether a page is a mask of 0 and ``top`` whose edges were smoothed.

    At least four numbers lie between 5 % and 95 % of the top. They cover at most half of the page,
    and fewer than a tenth of their pixels have four neighbours of the same number.

    >>> has_blurred_edges(np.array([[0, 0, 0, 50, 130, 200, 230, 255, 255, 255]] * 4), 255)
    True
    >>> has_blurred_edges(np.repeat(np.arange(9).repeat(5)[None], 5, axis=0), 8)
    False
    """
    between = (page > 0.05 * top) & (page < 0.95 * top)
    if 2 * np.count_nonzero(between) > page.size or len(np.unique(page[between])) < 4:
        return False
    inner = np.zeros(page.shape, bool)
    rows, columns = page[1:] == page[:-1], page[:, 1:] == page[:, :-1]
    inner[1:-1, 1:-1] = rows[:-1, 1:-1] & rows[1:, 1:-1] & columns[1:-1, :-1] & columns[1:-1, 1:]
    ends = (page == 0).any() and (page >= 0.95 * top).any()
    return bool(ends and np.count_nonzero(inner & between) < 0.1 * np.count_nonzero(between))


def _pieces(mask: Bool[np.ndarray, "h w"]) -> int:
    """Count the largest 8-connected pieces that cover nine tenths of a mask."""
    areas = np.sort(np.bincount(label_components(mask, connectivity=2).ravel())[1:])[::-1]
    return int(np.searchsorted(areas.cumsum(), 0.9 * areas.sum())) + 1
