"""What can be seen of one label image: its numbers, and in how many pieces each of them lies."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from unet_exp.datasets.numbering import Numbers, places

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
    """

    name: str
    values: tuple[int, ...]
    pieces: tuple[int, ...]
    scattered: bool = False
    grainy: bool = False

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


def _pieces(mask: Bool[np.ndarray, "h w"]) -> int:
    """Count the largest pieces that cover nine tenths of a mask."""
    sizes = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2]
    areas = np.sort(sizes[1:, cv2.CC_STAT_AREA])[::-1]
    return int(np.searchsorted(areas.cumsum(), 0.9 * areas.sum())) + 1
