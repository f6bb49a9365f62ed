"""Count and renumber integers of any size with little memory."""

import numpy as np
from jaxtyping import Int32, Integer, Shaped

KEPT = 2**16
"""Instance numbers below this are kept."""
Numbers = Integer[np.ndarray, "_ _"]


def unique_inverse(
    page: Shaped[np.ndarray, "h w"],
) -> tuple[Shaped[np.ndarray, " n"], Int32[np.ndarray, "h w"]]:
    """Return the sorted values of an image, and for each pixel the index of its value.

    The result is that of `numpy.unique` with ``return_inverse``, but several times faster on
    labels. Values that are close together are counted in a table. Otherwise, runs of equal values
    are sorted.

    >>> values, inverse = unique_inverse(np.array([[7, 7, 2**40], [-1, 7, 7]]))
    >>> values.tolist(), inverse.tolist()
    ([-1, 7, 1099511627776], [[1, 1, 2], [0, 1, 1]])
    """
    flat = page.ravel()
    if not flat.size:
        return flat, np.zeros(page.shape, np.int32)
    if flat.dtype.kind in "iu":
        low, high = int(flat.min()), int(flat.max())
        if high - low < max(KEPT, flat.size):
            # Unsigned differences and sums wrap round to the right numbers.
            start = np.array(low).astype(np.uint64)
            offset = flat.astype(np.uint64) - start
            is_used = np.zeros(high - low + 1, bool)
            is_used[offset] = True
            index = np.cumsum(is_used, dtype=np.int32) - 1
            values = np.flatnonzero(is_used).astype(np.uint64) + start
            return values.astype(page.dtype), index[offset].reshape(page.shape)
    starts = np.flatnonzero(np.append(True, flat[1:] != flat[:-1]))
    values, index = np.unique(flat[starts], return_inverse=True)
    lengths = np.diff(np.append(starts, flat.size))
    return values, np.repeat(index.astype(np.int32), lengths).reshape(page.shape)


def renumber(page: Numbers) -> Int32[np.ndarray, "_ _"]:
    """Return instance numbers as int32: 0 stays, negative numbers become -1.

    Numbers are kept if all are below 65536. Otherwise they become 1, 2, ... in rising order, so
    that tables with an entry for each number stay small.

    >>> renumber(np.array([[0, 300, -7]])).tolist()
    [[0, 300, -1]]
    >>> renumber(np.array([[0, 2**63, 5, 2**63]], np.uint64)).tolist()
    [[0, 2, 1, 2]]
    """
    if page.size and int(page.max()) >= KEPT:
        values, inverse = unique_inverse(page)
        is_positive = values > 0
        new = np.where(is_positive, np.cumsum(is_positive), np.where(values < 0, -1, 0))
        return new.astype(np.int32)[inverse]
    if page.dtype.kind == "u":
        return page.astype(np.int32)
    return np.maximum(page, -1).astype(np.int32)
