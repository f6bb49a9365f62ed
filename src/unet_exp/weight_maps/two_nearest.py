"""Exact Euclidean distances to the two nearest objects: d1 and d2 of equation 2.

One distance transform per object would be slow. Objects are therefore put into groups, and the
groups are divided in two or three parts in several ways (partitions). Two objects near each other
are in different parts of at least one partition. The distance to the second nearest part, minimised
over the partitions, is the distance to the second nearest object. The time depends on the number of
pixels and the reach, hardly on the number of objects.

The distance transform works axis by axis up to a bounded reach, by the lower envelope of parabolas
(Felzenszwalb and Huttenlocher 2012, doi:10.4086/toc.2012.v008a019).
"""

from collections.abc import Iterator
from functools import reduce
from math import ceil, isqrt

import cv2
import numpy as np
from jaxtyping import Float32, Int, Integer
from scipy import ndimage

#: Rows and columns of a block, small enough for the processor's cache.
BLOCK = (256, 512)
#: Side of the squares in which `spread` looks for neighbours.
CELL = 4


def two_nearest(
    labels: Int[np.ndarray, "h w"], reach: float
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Return the distances in pixels from each pixel to its nearest and second nearest object.

    ``labels`` holds the object of each pixel; 0 and negative numbers are no object. At pixels
    without an object, both distances are exact if their sum is at most ``reach``. Otherwise they
    may be too large or infinite, but their sum still exceeds ``reach``.

    >>> d1, d2 = two_nearest(np.array([[1, 0, 0, 0, 2]]), reach=9.0)
    >>> d1, d2
    (array([[0., 1., 2., 1., 0.]], dtype=float32), array([[4., 3., 2., 3., 4.]], dtype=float32))
    """
    radius = max(ceil(reach) - 1, 1)  # the nearest is at least one pixel away
    groups = spread(labels, reach)
    partitions = mixed_radix(int(groups.max(initial=0)))
    first = np.full(labels.shape, np.inf, np.float32)
    second = np.full(labels.shape, np.inf, np.float32)
    padded = np.pad(groups, radius)
    for rows, columns in blocks(labels.shape):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        window = np.ascontiguousarray(
            padded[rows.start : rows.stop + 2 * radius, columns.start : columns.stop + 2 * radius]
        )
        if window.any():
            near, far, none = squared_distances(window, partitions, radius)
            for squares, result in ((near, first), (far, second)):
                inner = squares.reshape(height, -1)[:, radius : radius + width]
                distance = np.sqrt(inner, dtype=np.float32)
                distance[inner >= none] = np.inf
                result[rows, columns] = distance
    return first, second


def spread(labels: Int[np.ndarray, "h w"], reach: float) -> Integer[np.ndarray, "h w"]:
    """Return the group of each pixel's object, from 1.

    Objects nearer than ``reach`` are in different groups: each object takes the first group that no
    neighbour so far has. Neighbours are found by their bounding boxes. If 64 groups are not enough,
    each object is a group of its own.

    >>> spread(np.array([[7, 0, 8] + 18 * [0] + [9]]), reach=3.0)[0, [0, 2, -1]]
    array([1, 2, 1], dtype=uint8)
    """
    index = np.maximum(labels, 0)
    if index.max(initial=0) > index.size:  # find_objects makes one entry per possible label
        index = np.unique(index, return_inverse=True)[1].reshape(labels.shape) + (index.min() > 0)
    margin = ceil(reach / CELL)
    taken = np.zeros([size // CELL + 1 + 2 * margin for size in labels.shape], np.uint64)
    found = ndimage.find_objects(index)
    group = np.zeros(len(found) + 1, np.uint8)
    for number, box in enumerate(found, 1):
        if box is None:
            continue
        (top, bottom), (left, right) = ((s.start // CELL, (s.stop - 1) // CELL + 1) for s in box)
        near = taken[top : bottom + 2 * margin, left : right + 2 * margin]
        free = ~int(np.bitwise_or.reduce(near, axis=None))
        lowest = (free & -free).bit_length() - 1
        if lowest >= 64:
            return index
        group[number] = lowest + 1
        inside = taken[margin + top : margin + bottom, margin + left : margin + right]
        inside |= np.uint64(1 << lowest)
    return group[index]


def mixed_radix(groups: int) -> list[list[list[int]]]:
    """Return partitions of the groups 1..n that separate any two groups at least once.

    A partition sorts the groups by one digit of their number in a mixed base of twos and threes;
    the base is the one with the fewest parts in total.

    >>> mixed_radix(4)
    [[[1, 3], [2, 4]], [[1, 2], [3, 4]]]
    """
    choices = []
    for threes in range(max(groups, 2).bit_length()):
        rest = -(-max(groups, 2) // 3**threes)
        choices.append([2] * (rest - 1).bit_length() + [3] * threes)
    partitions, unit = [], 1
    for base in min(choices, key=sum):
        parts = [[g + 1 for g in range(groups) if g // unit % base == d] for d in range(base)]
        partitions.append(parts)
        unit *= base
    return partitions


def squared_distances(
    window: Integer[np.ndarray, "H W"], partitions: list[list[list[int]]], radius: int
) -> tuple[Integer[np.ndarray, "n"], Integer[np.ndarray, "n"], int]:
    """Return the squares of both distances in ``window``, without its outer ``radius`` rows.

    The results are flat, because shifts of a flat array are the fastest. Their outer ``radius``
    columns are invalid. If there is no object within ``radius``, the square is the third result or
    larger.
    """
    # Sums of two squares must fit: of `none` and of the reach.
    dtype = next(t for t in (np.uint16, np.uint32) if isqrt(np.iinfo(t).max // 2) > radius)
    none = isqrt(np.iinfo(dtype).max // 2)
    table = np.empty(max(int(window.max()) + 1, 256), dtype)
    pairs = []
    for parts in partitions:
        low = high = np.asarray(none**2, dtype)
        for part in parts:
            table[:] = none
            table[[g for g in part if g < len(table)]] = 0
            # Before version 5, OpenCV's LUT does not support uint32; the bits are the same.
            signed = table.view(f"i{table.itemsize}")
            start = cv2.LUT(window, signed) if window.dtype == np.uint8 else signed[window]
            start = start.view(dtype)
            squares = part_squares(start, radius)
            high = np.minimum(high, np.maximum(low, squares))
            low = np.minimum(low, squares)
        pairs.append((low, high))
    return pairs[0][0], reduce(np.minimum, (high for _, high in pairs)), none**2


def part_squares(start: Integer[np.ndarray, "H W"], radius: int) -> Integer[np.ndarray, "n"]:
    """Return the squared distance to the zeros of ``start``, without its outer ``radius`` rows.

    ``start`` is overwritten.
    """
    height, width = start.shape
    distance = start.reshape(-1)
    # Along columns, steps of 1, 2, 4, ... reach every distance up to `radius`.
    step = 1
    while step <= radius:
        shift = step * width
        near = np.minimum(distance[2 * shift :], distance[: -2 * shift])
        near += step
        middle = distance[shift:-shift]
        np.minimum(middle, near, out=middle)
        step *= 2
    distance = distance[radius * width : (height - radius) * width]
    squares = distance * distance
    nearest, near = squares.copy(), np.empty_like(squares)
    for offset in range(1, radius + 1):
        both = near[offset:-offset]
        np.minimum(squares[2 * offset :], squares[: -2 * offset], out=both)
        both += offset * offset
        inner = nearest[offset:-offset]
        np.minimum(inner, both, out=inner)
    return nearest


def blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of blocks that cover an image once.

    >>> [(rows.stop, columns.stop) for rows, columns in blocks((300, 100))]
    [(256, 100), (300, 100)]
    """
    for top in range(0, shape[0], BLOCK[0]):
        for left in range(0, shape[1], BLOCK[1]):
            yield (
                slice(top, min(top + BLOCK[0], shape[0])),
                slice(left, min(left + BLOCK[1], shape[1])),
            )
