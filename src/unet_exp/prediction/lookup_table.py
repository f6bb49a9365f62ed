"""A lookup table of ImageJ: the colours in which it displays the numbers of an image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from unet_exp.pictures.colours import PALETTE


@dataclass(frozen=True)
class LookupTable:
    """Colours of the numbers from 0 to ``highest``.

    ``colours`` (3, 256) are red, green and blue. If ``highest`` is above 255, neighbouring numbers
    share a colour.
    """

    colours: UInt8[np.ndarray, "3 256"]
    highest: int

    def tags(self) -> dict[str, Any]:
        """Return the entries of ImageJ's metadata: the table and the range of numbers."""
        top = max(self.highest, 255)
        return {"LUTs": [self.colours], "Ranges": (0.0, float(top)), "min": 0.0, "max": float(top)}

    def colormap(self) -> np.ndarray:
        """Return the ColorMap of TIFF, from which ImageJ takes the table of a single channel."""
        return self.colours.astype(np.uint16) * 257


def table_of_labels(highest: int) -> LookupTable:
    """Return a table of labels: background is black, neighbouring numbers differ clearly.

    >>> table_of_labels(9).colours[:, :2].tolist()
    [[0, 86], [0, 180], [0, 233]]
    """
    colours = PALETTE[np.arange(-1, 255) % len(PALETTE)]
    colours[0] = 0
    return LookupTable(np.ascontiguousarray(colours.T), highest)
