"""Match predicted and true objects one to one by their overlap.

- Cell Tracking Challenge (doi:10.1093/bioinformatics/btu080): a predicted object finds a true one
  if it covers more than half of it.
- Caicedo et al. 2019 (doi:10.1038/s41592-019-0612-7): two objects match if their IoU reaches a
  level, which is at least one half.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, object_table, region_sizes
from unet_exp.metrics.measure import Measure


class Matches(NamedTuple):
    """Matched pairs at each level, and the objects of either image."""

    matched: Int64[np.ndarray, " levels"]
    predicted: int
    true: int


def checked_levels(levels: list[float]) -> tuple[float, ...]:
    """Return the levels as a tuple; raise ValueError if a match would not be unique.

    >>> checked_levels([0.5, 0.75])
    (0.5, 0.75)
    """
    if not levels or min(levels) < 0.5 or max(levels) > 1:
        raise ValueError(
            f"Objects do not match one to one at an IoU of {levels}. "
            "Give one or more levels from 0.5 to 1."
        )
    return tuple(float(level) for level in levels)


def match_objects(table: Contingency, levels: tuple[float, ...]) -> Matches:
    """Count the matches of one image at each level.

    >>> truth, predicted = np.array([1, 1, 2]), np.array([7, 8, 9])
    >>> match_objects(Contingency(truth, predicted, np.array([2, 2, 5])), (0.5, 0.6))
    Matches(matched=array([2, 1]), predicted=3, true=2)
    """
    truth, predicted, _ = table
    iou = iou_of_pairs(table)
    matched = []
    for level in levels:
        pair = iou >= level
        # At an IoU of exactly 1/2, two halves may match one whole. Such a match counts once.
        count = count_objects(truth[pair]) + count_objects(predicted[pair]) - pair.sum()
        matched.append(count)
    return Matches(np.array(matched, np.int64), count_objects(predicted), count_objects(truth))


def iou_of_pairs(table: Contingency) -> Float64[np.ndarray, " n"]:
    """Return the IoU of the two objects of each cell of the table; 0 with the background.

    >>> truth, predicted = np.array([0, 1, 1]), np.array([7, 7, 8])
    >>> iou_of_pairs(Contingency(truth, predicted, np.array([2, 6, 2]))).tolist()
    [0.0, 0.6, 0.25]
    """
    truth, predicted, pixels = table
    union = region_sizes(truth, pixels) + region_sizes(predicted, pixels) - pixels
    return np.where((truth > 0) & (predicted > 0), pixels / union, 0)


def is_found(table: Contingency) -> Bool[np.ndarray, " n"]:
    """Tell for each cell of the table whether its predicted object finds its true object.

    At most one predicted object finds a true one.

    >>> truth, predicted = np.array([0, 1, 1, 2, 2]), np.array([7, 7, 8, 7, 8])
    >>> is_found(Contingency(truth, predicted, np.array([9, 3, 2, 1, 1])))
    array([False,  True, False, False, False])
    """
    truth, predicted, pixels = table
    return (truth > 0) & (predicted > 0) & (2 * pixels > region_sizes(truth, pixels))


def count_objects(regions: np.ndarray) -> int:
    """Count the regions other than the background.

    >>> count_objects(np.array([0, 3, 3, 5]))
    2
    """
    return len(np.unique(regions[regions > 0]))


class ObjectMeasure(Measure):
    """A score of the objects of all images together, from their matches at each level of IoU."""

    matched: Int[Tensor, " levels"]
    predicted: Int[Tensor, ""]
    true: Int[Tensor, ""]

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.levels = levels
        self.add_sums("matched", size=len(levels))
        self.add_sums("predicted", "true")

    def update(self, instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> None:
        """Match the objects of one image."""
        self.add(**match_objects(object_table(instances, labels), self.levels)._asdict())
