"""Contingency table of true and predicted regions: the pixels that each pair shares.

Arganda-Carreras et al. 2015 (doi:10.3389/fnana.2015.00142): p_ij is ``pixels`` / their sum.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Int64
from torch import Tensor

from unet_exp.metrics.arguments import check_images


class Scores(NamedTuple):
    """A score and its two parts: splits lower ``split``, mergers lower ``merge``."""

    score: float
    split: float
    merge: float


class Contingency(NamedTuple):
    """The non-zero cells of the table, sorted by true, then by predicted region."""

    truth: Int64[np.ndarray, " n"]
    predicted: Int64[np.ndarray, " n"]
    pixels: Int64[np.ndarray, " n"]

    def within_truth(self) -> "Contingency":
        """Return the cells of true objects only."""
        first = np.searchsorted(self.truth, 1)
        return Contingency(*(column[first:] for column in self))


def contingency(instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> Contingency:
    """Return the table of two label images, background 0 included.

    Pixels with a negative label (unknown) are left out.

    >>> import torch
    >>> labels = torch.tensor([[1, 1, 1, 2], [0, 0, -1, 2]])
    >>> contingency(torch.tensor([[5, 5, 7, 7], [5, 0, 7, 7]]), labels).pixels
    array([1, 1, 2, 1, 2])
    """
    check_images(instances, labels, batch="a measure (SEG, VRand, ...)")
    truth, predicted = labels.flatten().cpu().numpy(), instances.flatten().cpu().numpy()
    # Runs of equal pairs are far fewer than pixels, so they sort faster.
    change = truth[1:] != truth[:-1]
    change |= predicted[1:] != predicted[:-1]
    last = np.append(np.flatnonzero(change), len(truth) - 1)
    lengths = np.diff(last, prepend=-1)
    truth, predicted = (column[last].astype(np.int64) for column in (truth, predicted))
    if truth.min() < 0:
        known = truth >= 0
        truth, predicted, lengths = truth[known], predicted[known], lengths[known]
    if predicted.min(initial=0) < 0:
        raise ValueError(
            f"A predicted region is numbered {predicted.min()}. Number regions from 1 and leave "
            f"the background 0; only `labels` may hold -1, for unknown pixels."
        )
    return summed(truth, predicted, lengths)


def object_table(instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> Contingency:
    """Return the table of two label images, without predicted objects that cannot be scored.

    More than half of the pixels of such an object are unknown, and most of the others are
    background. The object may be a cell that nobody annotated.

    >>> import torch
    >>> labels = torch.tensor([[-1, -1, -1, 0, 0, 0, 1]])
    >>> object_table(torch.tensor([[0, 5, 5, 5, 0, 6, 6]]), labels)
    Contingency(truth=array([0, 0, 1]), predicted=array([0, 6, 6]), pixels=array([2, 1, 1]))
    """
    table = contingency(instances, labels)
    unknown = labels < 0
    if not unknown.any():
        return table
    truth, predicted, pixels = table
    objects, hidden = np.unique(instances[unknown].cpu().numpy(), return_counts=True)
    size = int(max(objects[-1], predicted.max(initial=0))) + 1
    seen = np.bincount(predicted, pixels, size)[objects]
    background = np.bincount(predicted, pixels * (truth == 0), size)[objects]
    ignored = objects[(hidden > seen) & (2 * background >= seen)]
    return summed(truth, np.where(np.isin(predicted, ignored), 0, predicted), pixels)


def summed(
    truth: Int64[np.ndarray, " n"],
    predicted: Int64[np.ndarray, " n"],
    pixels: Int64[np.ndarray, " n"],
) -> Contingency:
    """Return the table that sums the pixels of equal pairs.

    >>> summed(np.array([2, 1, 2]), np.array([0, 5, 0]), np.array([3, 1, 4]))
    Contingency(truth=array([1, 2]), predicted=array([5, 0]), pixels=array([1, 7]))
    """
    bits = [int(column.max(initial=0)).bit_length() for column in (truth, predicted, pixels)]
    if sum(bits) <= 63:
        # One number for each run: sorting values is several times faster than sorting indices.
        runs = np.sort((truth << bits[1] | predicted) << bits[2] | pixels)
        pairs, pixels = runs >> bits[2], runs & ((1 << bits[2]) - 1)
        truth, predicted = pairs >> bits[1], pairs & ((1 << bits[1]) - 1)
    else:
        order = np.lexsort((predicted, truth))
        truth, predicted, pixels = truth[order], predicted[order], pixels[order]
    new = np.ones(len(truth), bool)
    new[1:] = (truth[1:] != truth[:-1]) | (predicted[1:] != predicted[:-1])
    first = np.flatnonzero(new)
    pixels = np.add.reduceat(pixels, first) if len(first) else pixels
    return Contingency(truth[first], predicted[first], pixels)


def region_sizes(
    regions: Int64[np.ndarray, " n"], pixels: Int64[np.ndarray, " n"]
) -> Int64[np.ndarray, " n"]:
    """Return for each cell of the table the number of pixels of its whole region.

    >>> region_sizes(np.array([3, 8, 3]), np.array([10, 20, 30]))
    array([40, 20, 40])
    """
    names, region = np.unique(regions, return_inverse=True)
    sizes = np.bincount(region, weights=pixels, minlength=len(names)).astype(np.int64)
    return sizes[region]
