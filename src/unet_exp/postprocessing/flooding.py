"""Seeded watershed as a cut by minimum spanning forest.

Cousty et al. 2009 (doi:10.1109/TPAMI.2008.173): flooding from seeds joins the basins, those of
steepest ascent, over their highest passes. So only basins, not pixels, need an ordered search.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int, Int32, UInt8
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def flooded(
    height: Float32[np.ndarray, "h w"],
    seeds: Int32[np.ndarray, "h w"],
    mask: Bool[np.ndarray, "h w"],
) -> Int32[np.ndarray, "h w"]:
    """Give each pixel of the mask to the seed that reaches it over the highest pass, else 0.

    Heights are not negative. Equal heights are told apart by nearness to a seed, then by reading
    order, so that what becomes of a connected part of the mask depends on nothing outside it.

    >>> height, seeds = np.array([[9, 5, 6, 9]], np.float32), np.array([[1, 0, 0, 2]], np.int32)
    >>> flooded(height, seeds, height > 0)
    array([[1, 1, 2, 2]], dtype=int32)
    """
    unclaimed = mask & (seeds == 0)
    pixels, count = int(unclaimed.sum()), int(seeds.max())
    # Every pixel's rank in height; each seed has one rank above them all, what is outside the
    # mask -1. The bits of floats that are not negative order as the floats do.
    bits = height[unclaimed].view(np.int32).astype(np.int64)
    order = np.argsort(bits << 8 | nearness(seeds > 0, mask)[unclaimed], kind="stable")
    ascending = np.empty(pixels, np.int32)
    ascending[order] = np.arange(pixels, dtype=np.int32)
    rank = np.where(seeds > 0, seeds + np.int32(pixels - 1), np.int32(-1))
    rank[unclaimed] = ascending
    # Steepest ascent from each pixel ends on a peak or a seed: its basin.
    top = np.pad(rank, 1, constant_values=-1)
    for side in (top[:-2, 1:-1], top[2:, 1:-1], top[1:-1, :-2], top[1:-1, 2:]):
        rank = np.maximum(rank, side)
    uphill = np.arange(pixels + count, dtype=np.int32)
    uphill[ascending] = rank[unclaimed]
    while ((further := uphill[uphill]) != uphill).any():
        uphill = further
    labels = seeds.copy()
    labels[unclaimed] = joined(top[1:-1, 1:-1], uphill, count)[ascending]
    return labels


def nearness(
    sources: Bool[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w"]:
    """Grow from the sources within the mask, higher where fewer steps lead; 0 after 255 steps.

    >>> nearness(np.array([[True, False, False, False]]), np.array([[True, True, True, False]]))
    array([[3, 2, 1, 0]], dtype=uint8)
    """
    inside, reached = mask.astype(np.uint8), sources.astype(np.uint8)
    near = reached.copy()
    for _ in range(254):
        grown = np.bitwise_and(cv2.dilate(reached, CROSS), inside)
        if np.array_equal(grown, reached):
            break
        near += grown
        reached = grown
    return near


def joined(
    rank: Int[np.ndarray, "h w"], basin: Int[np.ndarray, " ranks"], count: int
) -> Int32[np.ndarray, " ranks"]:
    """Join basins over their highest passes to the last ``count``, the seeds'; 0 is none of them.

    ``basin`` gives the highest rank of the basin of each rank.
    """
    first = np.concatenate([rank[:, :-1].ravel(), rank[:-1].ravel()])
    second = np.concatenate([rank[:, 1:].ravel(), rank[1:].ravel()])
    inside = (first >= 0) & (second >= 0)
    first, second = first[inside], second[inside]
    border = basin[first] != basin[second]
    first, second = first[border], second[border]
    peaks = basin == np.arange(len(basin))
    number, basins = (np.cumsum(peaks) - 1)[basin], int(peaks.sum())
    # The highest passes first: the height of a pass is that of its lower pixel, the other decides
    # between equals. scipy adds up edges that occur twice, so only the best of two basins stays.
    passes = np.lexsort([np.maximum(first, second), np.minimum(first, second)])[::-1]
    one, other = number[first[passes]], number[second[passes]]
    key = np.minimum(one, other) * basins + np.maximum(one, other)
    key, weights = np.unique(key, return_index=True)
    # A root tied to the seeds by the lightest edges makes the spanning tree a forest from them.
    seeds = np.arange(basins - count, basins)
    rows = np.concatenate([key // basins, seeds])
    columns = np.concatenate([key % basins, np.full(count, basins)])
    weights = np.concatenate([weights + 1.0, np.full(count, 0.5)])
    # scipy's spanning tree takes 32-bit indices only, before version 1.17.
    edges = rows.astype(np.int32), columns.astype(np.int32)
    graph = coo_array((weights, edges), shape=(basins + 1, basins + 1)).tocsr()
    forest = minimum_spanning_tree(graph)[:basins, :basins]
    trees, tree = connected_components(forest, directed=False)
    owner = np.zeros(trees, np.int32)
    owner[tree[seeds]] = np.arange(1, count + 1)
    return owner[tree[number]]
