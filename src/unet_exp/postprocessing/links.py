"""Link cells of consecutive frames by overlap.

As in the detection of the Cell Tracking Challenge (doi:10.1371/journal.pone.0144959), an object
continues in the object that covers more than half of it; there is at most one.
"""

import numpy as np
from jaxtyping import Int


def linked(
    before: Int[np.ndarray, "h w"], now: Int[np.ndarray, "h w"], following: int
) -> tuple[Int[np.ndarray, "h w"], int]:
    """Renumber objects as in the previous frame, and new objects from ``following``.

    If several objects continue in one, it gets the number of the one with the largest overlap.
    Returns the renumbered frame and the next free number.

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
