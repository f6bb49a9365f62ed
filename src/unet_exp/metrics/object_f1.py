"""Precision, recall and F1 of objects: Caicedo et al. 2019 (doi:10.1038/s41592-019-0612-7).

Precision = TP / predicted objects, recall = TP / true objects, F1 = 2 TP / both, where TP are
the objects matched at an IoU of one half or more.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import object_table
from unet_exp.metrics.object_matching import ObjectMeasure, checked_levels, match_objects


def object_f1(
    instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"], iou: float = 0.5
) -> Float[Tensor, ""]:
    """F1 of one image's objects; NaN where neither image has one.

    Unknown pixels (label -1) are removed from the predicted objects first. An object that is mostly
    unknown counts neither as right nor as false (see `object_table`).

    >>> object_f1(torch.tensor([[4, 4, 0, 5, 0]]), torch.tensor([[1, 1, 1, 0, 0]]))
    tensor(0.6667)
    """
    matched, predicted, true = match_objects(object_table(instances, labels), checked_levels([iou]))
    return 2 * torch.tensor(int(matched[0])) / torch.tensor(predicted + true)


class ObjectF1(ObjectMeasure):
    """F1 of the objects of all images together.

    Parameters
    ----------
    iou
        IoU from which on objects match, from 0.5 to 1.

    >>> metric = ObjectF1()
    >>> metric.update(torch.tensor([[4, 4, 0, 5, 0]]), torch.tensor([[1, 1, 1, 0, 0]]))
    >>> metric.compute(), metric.details()
    (tensor(0.6667), {'precision': 0.5, 'recall': 1.0})
    """

    def __init__(self, iou: float = 0.5) -> None:
        super().__init__(checked_levels([iou]))

    def compute(self) -> Float[Tensor, ""]:
        """Return F1 over all objects."""
        return 2 * self.matched[0] / (self.predicted + self.true)

    def details(self) -> dict[str, float]:
        """Return ``precision`` and ``recall``."""
        matched = self.matched[0]
        return {
            "precision": float(matched / self.predicted),
            "recall": float(matched / self.true),
        }
