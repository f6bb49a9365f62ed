"""Intersection over union of classes, the Jaccard index (doi:10.1111/j.1469-8137.1912.tb05611.x).

IoU of a class = |P and T| / |P or T| for its predicted pixels P and true pixels T.
"""

from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.overlap import Overlap, OverlapMeasure, class_mean, overlap


def jaccard(counts: Overlap) -> Float[Tensor, " k"]:
    """IoU of each class; NaN for a class neither predicted nor true."""
    return counts.shared / (counts.predicted + counts.true - counts.shared)


def iou(
    prediction: Int[Tensor, "*grid"], classes: Int[Tensor, "*grid"], background: bool = False
) -> Float[Tensor, ""]:
    """Mean IoU of the classes that occur, over known pixels (class >= 0); NaN if none occurs.

    >>> import torch
    >>> iou(torch.tensor([1, 1, 0, 0]), torch.tensor([1, 0, 1, -1]))
    tensor(0.3333)
    """
    return class_mean(jaccard(overlap(prediction, classes)), background)


class IoU(OverlapMeasure):
    """IoU of the pixels of all images together, mean over classes.

    >>> import torch
    >>> metric = IoU()
    >>> metric.update(torch.tensor([[[0.2, 0.9]], [[0.8, 0.1]]]), torch.tensor([[1, 1]]))
    >>> metric.compute()
    tensor(0.5000)
    """

    ratio = staticmethod(jaccard)
