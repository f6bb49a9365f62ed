"""Panoptic quality of objects: Kirillov et al. 2019 (arXiv:1801.00868, equation 1).

PQ = sum of the IoU of matched objects / (TP + FP / 2 + FN / 2), where two objects match if their
IoU is above one half. It is the mean IoU of the matches times their F1, so it counts each object
found by how exact its outline is.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, object_table
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.object_matching import count_objects, iou_of_pairs


class Found(NamedTuple):
    """Sum of the IoU of the matches of one image, their number, and the objects of either side."""

    iou_sum: float
    matched: int
    predicted: int
    true: int


def found_objects(table: Contingency) -> Found:
    """Match objects whose IoU is above one half. At most one object matches another.

    >>> import numpy as np
    >>> truth, predicted = np.array([1, 1, 2]), np.array([7, 8, 9])
    >>> found_objects(Contingency(truth, predicted, np.array([3, 1, 5])))
    Found(iou_sum=1.75, matched=2, predicted=3, true=2)
    """
    iou = iou_of_pairs(table)
    match = iou > 0.5
    predicted, true = count_objects(table.predicted), count_objects(table.truth)
    return Found(float(iou[match].sum()), int(match.sum()), predicted, true)


def panoptic_quality(
    instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]
) -> Float[Tensor, ""]:
    """Panoptic quality of one image; NaN where neither image has an object.

    Unknown pixels (label -1) are removed from the predicted objects first. An object that is mostly
    unknown counts neither as right nor as false (see `object_table`).

    >>> labels = torch.tensor([[1, 1, 1, 0, 0]])
    >>> panoptic_quality(torch.tensor([[4, 4, 0, 5, 0]]), labels)  # (2/3) / (1 + 1/2)
    tensor(0.4444, dtype=torch.float64)
    """
    found = found_objects(object_table(instances, labels))
    both = torch.tensor(found.predicted + found.true, dtype=torch.float64)
    return 2 * found.iou_sum / both


class PanopticQuality(Measure):
    """Panoptic quality of the objects of all images together.

    >>> metric = PanopticQuality()
    >>> metric.update(torch.tensor([[4, 4, 0, 5, 0]]), torch.tensor([[1, 1, 1, 0, 0]]))
    >>> metric.compute(), metric.details()
    (tensor(0.4444), {'segmentation_quality': 0.666..., 'recognition_quality': 0.666...})
    """

    iou_sum: Float[Tensor, ""]
    matched: Int[Tensor, ""]
    predicted: Int[Tensor, ""]
    true: Int[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        self.add_sums("iou_sum", dtype=torch.float32)
        self.add_sums("matched", "predicted", "true")

    def update(self, instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> None:
        """Match the objects of one image."""
        self.add(**found_objects(object_table(instances, labels))._asdict())

    def compute(self) -> Float[Tensor, ""]:
        """Return the panoptic quality over all objects."""
        return 2 * self.iou_sum / (self.predicted + self.true)

    def details(self) -> dict[str, float]:
        """Return the mean IoU of the matches, and F1. Both are 0 if no object is matched."""
        f1 = float(2 * self.matched / (self.predicted + self.true))
        mean_iou = float(self.iou_sum / self.matched) if f1 else f1
        return {"segmentation_quality": mean_iou, "recognition_quality": f1}
