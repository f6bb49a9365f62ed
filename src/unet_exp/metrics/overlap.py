"""Count the pixels of each class in prediction, truth and both, for IoU and Dice."""

from abc import abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.arguments import check_images
from unet_exp.metrics.measure import Measure

CLASSES = 256  # data sets store classes as uint8, so state of this length fits any of them


class Overlap(NamedTuple):
    """Pixels of each class: predicted, true, and both at once."""

    shared: Int[Tensor, " k"]
    predicted: Int[Tensor, " k"]
    true: Int[Tensor, " k"]


def overlap(prediction: Int[Tensor, "*grid"], classes: Int[Tensor, "*grid"]) -> Overlap:
    """Count the known pixels (class >= 0) of each class.

    >>> overlap(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, -1])).predicted[:2]
    tensor([1, 2])
    """
    check_images(prediction, classes)
    known = classes >= 0
    prediction, classes = prediction[known], classes[known]
    columns = (classes[prediction == classes], prediction, classes)
    return Overlap(*(torch.bincount(column.flatten(), minlength=CLASSES) for column in columns))


def class_mean(shares: Float[Tensor, " k"], background: bool) -> Float[Tensor, ""]:
    """Mean over the classes that occur (their share is not NaN), with or without class 0."""
    return shares[0 if background else 1 :].nanmean()


class OverlapMeasure(Measure):
    """A mean over classes of a ratio of pixel counts over all images.

    Parameters
    ----------
    background
        Whether class 0 is included in the mean. Without it, two classes give the foreground's
        ratio.
    """

    shared: Int[Tensor, " k"]
    predicted: Int[Tensor, " k"]
    true: Int[Tensor, " k"]

    def __init__(self, background: bool = False) -> None:
        super().__init__()
        self.background = background
        self.add_sums(*Overlap._fields, size=CLASSES)

    def update(self, probabilities: Float[Tensor, "c h w"], classes: Int[Tensor, "h w"]) -> None:
        """Count the pixels of one image."""
        # On a CPU, argmax along the first axis takes 50 times as long.
        self.add(**overlap(probabilities.max(0).indices, classes)._asdict())

    @staticmethod
    @abstractmethod
    def ratio(counts: Overlap) -> Float[Tensor, " k"]:
        """Return the ratio of each class; NaN for a class neither predicted nor true."""

    def compute(self) -> Float[Tensor, ""]:
        """Average over classes."""
        counts = Overlap(self.shared, self.predicted, self.true)
        return class_mean(self.ratio(counts), self.background)
