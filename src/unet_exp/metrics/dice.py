"""The coefficient of Dice 1945 (doi:10.2307/1932409), the F1 score of pixels.

Dice of a class = 2 |P and T| / (|P| + |T|) for its predicted pixels P and true pixels T.
"""

from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.overlap import Overlap, OverlapMeasure, class_mean, overlap


def coefficient(counts: Overlap) -> Float[Tensor, " k"]:
    """Dice of each class; NaN for a class neither predicted nor true."""
    return 2 * counts.shared / (counts.predicted + counts.true)


def dice(
    prediction: Int[Tensor, "*grid"], classes: Int[Tensor, "*grid"], background: bool = False
) -> Float[Tensor, ""]:
    """Mean Dice of the classes that occur, over known pixels (class >= 0); NaN if none occurs.

    >>> import torch
    >>> dice(torch.tensor([1, 1, 0, 0]), torch.tensor([1, 0, 1, -1]))
    tensor(0.5000)
    """
    return class_mean(coefficient(overlap(prediction, classes)), background)


class Dice(OverlapMeasure):
    """Dice of the pixels of all images together, mean over classes.

    >>> import torch
    >>> metric = Dice()
    >>> metric.update(torch.tensor([[[0.2, 0.9]], [[0.8, 0.1]]]), torch.tensor([[1, 1]]))
    >>> metric.compute()
    tensor(0.6667)
    """

    ratio = staticmethod(coefficient)
