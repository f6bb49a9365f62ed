"""Whole numbers of any size in an image, counted and renumbered in the memory of the image."""

import numpy as np
from jaxtyping import Int32, Integer, Shaped

KEPT = 2**16
"""Numbers below this are kept as they are."""
Numbers = Integer[np.ndarray, "_ _"]


def places(
    page: Shaped[np.ndarray, "h w"],
) -> tuple[Shaped[np.ndarray, " n"], Int32[np.ndarray, "h w"]]:
    """List the values of an image in rising order, and for each pixel the place of its value.

    What `numpy.unique` gives with ``return_inverse``, several times faster for images of regions:
    where the values lie close together they are counted in a table, else runs of them are sorted.

    >>> values, at = places(np.array([[7, 7, 2**40], [-1, 7, 7]]))
    >>> values.tolist(), at.tolist()
    ([-1, 7, 1099511627776], [[1, 1, 2], [0, 1, 1]])
    """
    flat = page.ravel()
    if not flat.size:
        return flat, np.zeros(page.shape, np.int32)
    if flat.dtype.kind in "iu":
        low, high = int(flat.min()), int(flat.max())
        if high - low < max(KEPT, flat.size):
            # In 64 bits without a sign, differences and sums wrap round to the right numbers.
            start = np.array(low).astype(np.uint64)
            offset = flat.astype(np.uint64) - start
            found = np.zeros(high - low + 1, bool)
            found[offset] = True
            number = np.cumsum(found, dtype=np.int32) - 1
            values = np.flatnonzero(found).astype(np.uint64) + start
            return values.astype(page.dtype), number[offset].reshape(page.shape)
    first = np.append(True, flat[1:] != flat[:-1])
    starts = np.flatnonzero(first)
    values, number = np.unique(flat[starts], return_inverse=True)
    lengths = np.diff(np.append(starts, flat.size))
    return values, np.repeat(number.astype(np.int32), lengths).reshape(page.shape)


def renumbered(page: Numbers) -> Int32[np.ndarray, "_ _"]:
    """Return instance numbers that fit their image: 0 stays, whatever is negative becomes -1.

    An image whose numbers are all below 65536 keeps them. Otherwise its instances are numbered 1,
    2, ... in the order of their numbers, so that no table that is made of them outgrows the image.

    >>> renumbered(np.array([[0, 300, -7]])).tolist()
    [[0, 300, -1]]
    >>> renumbered(np.array([[0, 2**63, 5, 2**63]], np.uint64)).tolist()
    [[0, 2, 1, 2]]
    """
    if page.size and int(page.max()) >= KEPT:
        values, at = places(page)
        negative, known = int((values < 0).sum()), values >= 0
        new = np.where(known, np.arange(len(values)) - negative, -1)
        if not (values == 0).any():
            new[known] += 1
        return new.astype(np.int32)[at]
    return (
        np.maximum(page, -1).astype(np.int32) if page.dtype.kind == "i" else page.astype(np.int32)
    )
