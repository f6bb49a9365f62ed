"""Cross entropy of classes with smooth L1 of distances (Girshick 2015, arXiv:1504.08083)."""

import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from unet_exp.losses.reduction import REDUCTIONS, reduce
from unet_exp.ranges import require_choice, require_range


class ClassesAndDistances(nn.Module):
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
        super().__init__()
        require_range(0, distance_weight=distance_weight)
        require_choice("reduction", reduction, REDUCTIONS)
        self.distance_weight, self.reduction = distance_weight, reduction

    def forward(
        self,
        output: Float[Tensor, "b k h w"],
        target: Shaped[Tensor, "b *n h w"],
        weights: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Loss of a batch, in float32."""
        if target.ndim != 4 or not target.is_floating_point():
            raise ValueError(
                f"This loss compares a class and numbers for each pixel, (b, n, h, w), and the "
                f"target is of shape {tuple(target.shape)}."
            )
        numbers = target.shape[1] - 1
        logits, predicted = output.float().split([output.shape[1] - numbers, numbers], 1)
        classes = F.cross_entropy(logits, target[:, 0].long(), reduction="none")
        distances = F.smooth_l1_loss(predicted, target[:, 1:], reduction="none").mean(1)
        losses = classes + self.distance_weight * distances
        return reduce(losses, weights, self.reduction, everywhere=self.training)
