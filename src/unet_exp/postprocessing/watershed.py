"""Instances by seeded watershed, as a cut by minimum spanning forest.

Cousty et al. 2009 (doi:10.1109/TPAMI.2008.173): flooding from seeds joins the basins, those of
steepest ascent, over their highest passes. So only basins, not pixels, need an ordered search.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Int32
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from torch import Tensor

from unet_exp.postprocessing.objects import (
    distance_to,
    filled,
    labelled,
    without_gaps,
    without_small,
)
from unet_exp.postprocessing.ranges import require_not_negative, require_probability


@dataclass(frozen=True)
class Watershed:
    """Flood the foreground, 1 - probabilities[0] > ``threshold``, from seeds inside it.

    Parameters
    ----------
    seed_threshold
        Seeds are the connected regions whose foreground probability exceeds this.
    seed_depth
        They also keep more than this many pixels from the background: cells that touch in a
        narrow neck come apart although the network is sure of them.
    min_seed
        Seeds of fewer pixels are ignored. Foreground that no seed reaches is dropped.
    min_size, fill_holes, grow
        As for ``Components``.

    >>> inside = torch.tensor([[0.95, 0.8, 0.6, 0.7, 0.99, 0.1, 0.7]])
    >>> Watershed()(torch.stack([1 - inside, inside]))
    tensor([[1, 1, 1, 2, 2, 0, 0]], dtype=torch.int32)
    """

    threshold: float = 0.5
    seed_threshold: float = 0.9
    seed_depth: float = 0.0
    min_seed: int = 0
    min_size: int = 0
    fill_holes: bool = True
    grow: int = 0

    def __post_init__(self) -> None:
        require_probability("threshold", self.threshold)
        require_probability("seed_threshold", self.seed_threshold)
        require_not_negative(
            seed_depth=self.seed_depth,
            min_seed=self.min_seed,
            min_size=self.min_size,
            grow=self.grow,
        )
        if self.seed_threshold < self.threshold:
            raise ValueError(
                f"seed_threshold={self.seed_threshold} is below threshold={self.threshold}, so "
                f"seeds would lie outside the objects. Raise seed_threshold, or lower threshold."
            )

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Give the objects of an image numbers from 1, in the reading order of their seeds."""
        foreground = (1 - probabilities[0].detach().cpu().float()).numpy()
        mask = foreground > self.threshold
        if self.fill_holes:
            mask = filled(mask)
        sure = foreground > self.seed_threshold
        if self.seed_depth > 0:
            sure &= distance_to(~mask) > self.seed_depth
        seeds = without_small(labelled(sure), self.min_seed)
        labels = without_small(flooded(foreground, seeds, mask), self.min_size)
        return torch.from_numpy(without_gaps(labels, self.grow))


def flooded(
    height: Float32[np.ndarray, "h w"],
    seeds: Int32[np.ndarray, "h w"],
    mask: Bool[np.ndarray, "h w"],
) -> Int32[np.ndarray, "h w"]:
    """Give each pixel of the mask to the seed that reaches it over the highest pass, else 0.

    >>> height, seeds = np.array([[9, 5, 6, 9]], np.float32), np.array([[1, 0, 0, 2]], np.int32)
    >>> flooded(height, seeds, height > 0)
    array([[1, 1, 2, 2]], dtype=int32)
    """
    unclaimed = mask & (seeds == 0)
    pixels, count = int(unclaimed.sum()), int(seeds.max())
    # Every pixel's rank in height, those near a seed first among equals; each seed has one rank
    # above them all, what is outside the mask -1.
    nearness = -1e-7 * distance_to(seeds > 0)[unclaimed].astype(float)
    order = np.argsort(height[unclaimed] + nearness)
    ascending = np.empty(pixels, np.int32)
    ascending[order] = np.arange(pixels)
    rank = np.where(seeds > 0, seeds + (pixels - 1), -1)
    rank[unclaimed] = ascending
    # Steepest ascent from each pixel ends on a peak or a seed: its basin.
    top = np.pad(rank, 1, constant_values=-1)
    for side in (top[:-2, 1:-1], top[2:, 1:-1], top[1:-1, :-2], top[1:-1, 2:]):
        rank = np.maximum(rank, side)
    uphill = np.arange(pixels + count)
    uphill[ascending] = rank[unclaimed]
    while ((further := uphill[uphill]) != uphill).any():
        uphill = further
    labels = seeds.copy()
    labels[unclaimed] = joined(top[1:-1, 1:-1], uphill, count)[ascending]
    return labels


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
    # scipy adds up edges that occur twice, so only the highest pass of two basins may stay.
    key = np.minimum(number[first], number[second]) * basins
    key += np.maximum(number[first], number[second])
    height = np.minimum(first, second)
    best = np.lexsort([height, key])
    best = best[np.append(key[best][1:] != key[best][:-1], True)[: len(best)]]
    # A root tied to the seeds by the lightest edges makes the spanning tree a forest from them.
    seeds = np.arange(basins - count, basins)
    rows = np.concatenate([key[best] // basins, seeds])
    columns = np.concatenate([key[best] % basins, np.full(count, basins)])
    weights = np.concatenate([len(basin) - height[best], np.full(count, 0.5)])
    graph = coo_array((weights, (rows, columns)), shape=(basins + 1, basins + 1)).tocsr()
    forest = minimum_spanning_tree(graph)[:basins, :basins]
    trees, tree = connected_components(forest, directed=False)
    owner = np.zeros(trees, np.int32)
    owner[tree[seeds]] = np.arange(1, count + 1)
    return owner[tree[number]]
