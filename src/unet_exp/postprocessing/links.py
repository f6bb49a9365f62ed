"""The same number for a cell in frames that follow each other, by overlap.

The rule is that of the Cell Tracking Challenge's detection (doi:10.1371/journal.pone.0144959): an
object goes on in the one that covers more than half of it, of which there is at most one.
"""

import numpy as np
from jaxtyping import Int


def linked(
    before: Int[np.ndarray, "h w"], now: Int[np.ndarray, "h w"], following: int
) -> tuple[Int[np.ndarray, "h w"], int]:
    """Give objects the numbers they had in the frame before, new ones those from ``following``.

    Of several objects that go on in one, the one that shares most pixels with it gives its
    number. Returns the numbered frame, and the next number that is free.

    >>> before, now = np.array([[7, 7, 7, 0, 0, 8]]), np.array([[0, 2, 2, 0, 1, 0]])
    >>> linked(before, now, following=9)
    (array([[0, 7, 7, 0, 9, 0]]), 10)
    """
    both = (before > 0) & (now > 0)
    pairs, pixels = np.unique(np.stack([before[both], now[both]]), axis=1, return_counts=True)
    names = np.zeros(int(now.max(initial=0)) + 1, now.dtype)
    areas = np.bincount(before.ravel())
    for place in np.argsort(pixels, kind="stable"):  # the largest last, so that it counts
        old, new = pairs[:, place]
        if 2 * pixels[place] > areas[old]:
            names[new] = old
    fresh = np.setdiff1d(np.unique(now), np.append(np.flatnonzero(names), 0))
    names[fresh] = np.arange(following, following + len(fresh))
    return names[now], following + len(fresh)
