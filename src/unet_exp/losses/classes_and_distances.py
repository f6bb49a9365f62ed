"""Cross entropy of classes with smooth L1 of distances (Girshick 2015, arXiv:1504.08083)."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from unet_exp.losses.classes_and_maps import ClassesAndMaps
from unet_exp.ranges import require_range


class ClassesAndDistances(ClassesAndMaps):
    """Weighted cross entropy of the classes, plus weighted smooth L1 of the other channels.

    The first channel of the target is the class; the others are numbers. The last channels of the
    output predict the numbers, and those before them are the logits of the classes.

    Parameters
    ----------
    distance_weight
        Factor of the mean smooth L1. With 10, both parts have about the same size, because errors
        of distances from 0 to 1 are squared in it.
    reduction
        As for `unet_exp.losses.weighted_cross_entropy.WeightedCrossEntropy`.

    >>> import torch
    >>> output = torch.tensor([0.0, 0.0, 0.5]).reshape(1, 3, 1, 1)
    >>> target = torch.tensor([1.0, 0.9]).reshape(1, 2, 1, 1)
    >>> ClassesAndDistances()(output, target, torch.ones(1, 1, 1))
    tensor(1.4931)
    """

    def __init__(self, distance_weight: float = 10.0, reduction: str = "mean") -> None:
        require_range(0, distance_weight=distance_weight)
        super().__init__(distance_weight, reduction)

    def errors(
        self, predicted: Float[Tensor, "b m h w"], true: Float[Tensor, "b m h w"]
    ) -> Float[Tensor, "b m h w"]:
        """Return the smooth L1 of each number."""
        return F.smooth_l1_loss(predicted, true, reduction="none")
