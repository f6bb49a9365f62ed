"""Equation 1 (arXiv:1505.04597): the cross entropy of a pixel-wise softmax, weighted by w(x)."""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from unet_exp.losses.classes import require_classes
from unet_exp.losses.reduction import REDUCTIONS, reduce
from unet_exp.ranges import require_choice


class WeightedCrossEntropy(nn.Module):
    """Minus the sum over pixels of w(x) log p(x), where p is the probability of the true class.

    Parameters
    ----------
    reduction
        ``"sum"`` is as printed in the article. ``"mean"`` divides the sum by the number of pixels
        with a weight above 0, so that the learning rate does not depend on the size of the tile.

    If there are several processes, the batch is that of all processes in training mode, as with
    SyncBatchNorm; in evaluation mode, each process has its own batch. The other losses do the same.

    >>> import torch
    >>> logits = torch.tensor([[[[0.0]], [[0.0]]]])
    >>> WeightedCrossEntropy()(logits, torch.tensor([[[1]]]), torch.tensor([[[3.0]]]))
    tensor(2.0794)
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        require_choice("reduction", reduction, REDUCTIONS)
        self.reduction = reduction

    def forward(
        self,
        logits: Float[Tensor, "b k h w"],
        target: Int[Tensor, "b h w"],
        weights: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Loss of a batch, in float32; pixels with a target of -1 (unknown) do not count."""
        require_classes(target)
        if logits.shape[1] < 2:
            raise ValueError(
                f"The softmax of {logits.shape[1]} channel is always 1: "
                "target.activation=softmax makes a channel for each class."
            )
        losses = F.cross_entropy(logits.float(), target.long(), ignore_index=-1, reduction="none")
        return reduce(losses, weights, self.reduction, everywhere=self.training)
