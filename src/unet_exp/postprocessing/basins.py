"""Watershed without markers: find the hills of a landscape, and join hills of low contrast.

Hills are joined by their persistence (Edelsbrunner, Harer and Zomorodian 2003,
doi:10.1007/s00454-003-2926-5). The cut between them is that of a minimum spanning forest (Cousty et
al. 2009, doi:10.1109/TPAMI.2008.173). Only the hills are searched in order, not the pixels.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from unet_exp.connectivity import ordered


@dataclass(frozen=True, eq=False)
class Basins:
    """The hills of a landscape. Steepest ascent from each pixel of a hill ends on its peak.

    Attributes
    ----------
    labels
        Number of each pixel's basin, from 1; 0 outside the mask.
    height
        Height of each peak.
    certainty
        Largest certainty of each basin.
    passes
        The highest passes that connect basins, as a forest; two basins for each pass, the highest
        pass first.
    level
        Height of each pass.
    """

    labels: Int32[np.ndarray, "h w"]
    height: Float32[np.ndarray, " n"]
    certainty: Float32[np.ndarray, " n"]
    passes: Int64[np.ndarray, "m 2"]
    level: Float32[np.ndarray, " m"]

    def joined(self, contrast: float, least: float) -> Int32[np.ndarray, "h w"]:
        """Join basins to objects, numbered from 1 in the reading order of their first pixels.

        Two basins that meet stay separate if the lower peak is at least ``contrast`` above their
        pass, and if the certainty of both is above ``least``. Objects with a lower certainty are
        removed.

        >>> height = np.array([[9, 5, 7, 6, 8, 0, 3]], np.float32)
        >>> basins = find_basins(height, height, height > 0)
        >>> basins.joined(contrast=2, least=4), basins.joined(contrast=1, least=1)
        (array([[1, 1, 2, 2, 2, 0, 0]], dtype=int32), array([[1, 1, 2, 3, 3, 0, 4]], dtype=int32))
        """
        owner, certainty = list(range(len(self.height))), self.certainty.tolist()
        height, level = self.height.tolist(), self.level.tolist()

        def find(basin: int) -> int:
            while owner[basin] != basin:
                owner[basin] = basin = owner[owner[basin]]
            return basin

        for (one, other), at in zip(self.passes.tolist(), level, strict=True):
            low, high = find(one), find(other)
            if (certainty[low] > least, height[low]) > (certainty[high] > least, height[high]):
                low, high = high, low
            if height[low] - at < contrast or certainty[low] <= least:
                owner[low] = high
                certainty[high] = max(certainty[low], certainty[high])
        root = np.array([find(basin) for basin in owner], np.int64)
        kept = (root == np.arange(len(root))) & (np.array(certainty, np.float32) > least)
        number = np.zeros(len(root) + 1, np.int32)
        number[1:] = np.where(kept, np.cumsum(kept), 0)[root]
        return ordered(number[self.labels])


def find_basins(
    height: Float32[np.ndarray, "h w"],
    certainty: Float32[np.ndarray, "h w"],
    mask: Bool[np.ndarray, "h w"],
) -> Basins:
    """Find the basins of a mask.

    Pixels that share a side are neighbours. If heights are equal, the later pixel in reading order
    counts as higher. So each connected part of the mask has the same basins as if it were alone.
    """
    values = height[mask]
    pixels, order = np.arange(len(values), dtype=np.int32), ascending(values)
    ranks = np.empty_like(pixels)
    ranks[order] = pixels
    rank = np.full(mask.shape, -1, np.int32)
    rank[mask] = ranks
    # Steepest ascent from each pixel ends on a peak.
    above = np.pad(rank, 1, constant_values=-1)
    highest = rank.copy()
    for side in (above[:-2, 1:-1], above[2:, 1:-1], above[1:-1, :-2], above[1:-1, 2:]):
        np.maximum(highest, side, out=highest)
    uphill = order[highest[mask]]
    is_peak = uphill == pixels
    while ((further := uphill[uphill]) != uphill).any():
        uphill = further
    count = int(is_peak.sum())
    number = np.zeros_like(pixels)
    number[is_peak] = np.arange(1, count + 1)
    basin = number[uphill]
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = basin
    surest = np.zeros(count, np.float32)
    np.maximum.at(surest, basin - 1, certainty[mask])
    passes, level = highest_passes(height, rank, labels)
    return Basins(labels, values[is_peak], surest, passes, level)


def ascending(values: Float32[np.ndarray, " n"]) -> Int32[np.ndarray, " n"]:
    """Return the order of values from the lowest; among equal ones the earlier comes first.

    NumPy sorts integers ten times as fast as it finds a stable order of numbers. So a number's bits
    and its place are sorted as one integer.

    >>> ascending(np.float32([0.5, -2, 0.0, -0.0, -1]))
    array([1, 4, 2, 3, 0], dtype=int32)
    """
    bits = (values + np.float32(0)).view(np.int32).astype(np.int64)  # -0.0 becomes 0.0
    keys = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits) << 32
    keys |= np.arange(len(values))
    keys.sort()
    return keys.astype(np.int32)  # the lower half


def highest_passes(
    height: Float32[np.ndarray, "h w"],
    rank: Int32[np.ndarray, "h w"],
    labels: Int32[np.ndarray, "h w"],
) -> tuple[Int64[np.ndarray, "m 2"], Float32[np.ndarray, " m"]]:
    """Return the passes of a maximum spanning forest of the basins, the highest first."""
    width = labels.shape[1]
    across = (labels[:, :-1] != labels[:, 1:]) & (labels[:, :-1] > 0) & (labels[:, 1:] > 0)
    down = (labels[:-1] != labels[1:]) & (labels[:-1] > 0) & (labels[1:] > 0)
    left, above = np.flatnonzero(np.pad(across, ((0, 0), (0, 1)))), np.flatnonzero(down)
    # The two pixels of each border, as flat indices.
    first, second = np.concatenate([left, above]), np.concatenate([left + 1, above + width])
    one, other = (labels.reshape(-1)[k].astype(np.int64) - 1 for k in (first, second))
    ranks = [rank.reshape(-1)[k].astype(np.int64) for k in (first, second)]
    level = np.minimum(height.reshape(-1)[first], height.reshape(-1)[second])
    # The height of a pass is that of its lower pixel. If heights are equal, the other pixel
    # decides.
    order = np.argsort(np.minimum(*ranks) << 32 | np.maximum(*ranks))[::-1]
    count = int(labels.max(initial=0))
    key = np.minimum(one, other)[order] * count + np.maximum(one, other)[order]
    # scipy adds up edges that occur twice, so only the best edge between two basins is kept.
    place = np.argsort(key)
    starts = np.flatnonzero(np.diff(key[place], prepend=-1))
    best, key = np.minimum.reduceat(place, starts), key[place[starts]]
    # scipy's spanning tree takes 32-bit indices only, before version 1.17.
    edges = (key // max(count, 1)).astype(np.int32), (key % max(count, 1)).astype(np.int32)
    graph = coo_array((best + 1.0, edges), shape=(count, count)).tocsr()
    forest = minimum_spanning_tree(graph).tocoo()
    chosen = forest.data.astype(np.int64) - 1
    highest = np.argsort(chosen)
    passes = np.stack([forest.row, forest.col], 1).astype(np.int64)[highest]
    return passes, level[order[chosen[highest]]]
