"""Simple points: pixels that can flip without a change of topology.

Source: doi:10.1016/0167-8655(94)90046-9.

Foreground is 4-connected and background 8-connected, as in the ISBI 2012 challenge.
"""

import numpy as np
from jaxtyping import Bool, UInt8

from unet_exp.connectivity import label_components

#: (row, column) of the eight neighbours. Bit k of a neighbourhood is the k-th of them. The k-th and
#: the (7 - k)-th neighbour are opposite each other.
NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def ring(neighbourhood: int) -> Bool[np.ndarray, "3 3"]:
    """Return a neighbourhood as a mask; the pixel in the middle is False.

    >>> ring(0b10000111).astype(int)
    array([[1, 1, 1],
           [0, 0, 0],
           [0, 0, 1]])
    """
    drawn = np.zeros((3, 3), bool)
    for bit, (row, column) in enumerate(NEIGHBOURS):
        drawn[1 + row, 1 + column] = neighbourhood >> bit & 1
    return drawn


def is_simple(neighbourhood: int) -> bool:
    """Return whether the pixel in the middle of these eight may flip, in either direction.

    It may flip if it shares sides with exactly one 4-connected component of foreground, and touches
    exactly one 8-connected component of background.

    >>> is_simple(0b00000111)  # the row above is foreground: the border moves by a pixel
    True
    >>> is_simple(0b00011000)  # foreground on both sides: flipping joins or parts two objects
    False
    >>> is_simple(0), is_simple(0b11111111)  # makes an object, makes a hole
    (False, False)
    """
    beside = label_components(ring(neighbourhood))[[0, 1, 1, 2], [1, 0, 2, 1]]
    around = label_components(ring(~neighbourhood), connectivity=2)
    return len(set(beside.tolist()) - {0}) == 1 and int(around.max()) == 1


SIMPLE = tuple(is_simple(neighbourhood) for neighbourhood in range(256))
#: Number of 4-connected components of foreground in each neighbourhood.
PIECES = np.array([label_components(ring(neighbourhood)).max() for neighbourhood in range(256)])


def neighbourhoods(foreground: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Return the eight neighbours of each pixel as bits of a number; outside there are none.

    >>> neighbourhoods(np.array([[True, False, True]])).tolist()
    [[0, 24, 0]]
    """
    height, width = foreground.shape
    padded = np.pad(foreground, 1).astype(np.uint8)
    codes = np.zeros((height, width), np.uint8)
    for bit, (row, column) in enumerate(NEIGHBOURS):
        codes |= padded[1 + row : 1 + row + height, 1 + column : 1 + column + width] << bit
    return codes
