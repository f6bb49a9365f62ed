"""The loss of the popular Keras U-Net (zhixuhao/unet), with the weights of equation 1."""

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from unet_exp.losses.classes import require_classes
from unet_exp.losses.reduction import REDUCTIONS, reduce
from unet_exp.losses.sigmoid import one_channel
from unet_exp.ranges import require_choice


class WeightedBinaryCrossEntropy(nn.Module):
    """Cross entropy of one sigmoid channel: background, or any other class.

    Parameters
    ----------
    reduction
        As for `unet_exp.losses.weighted_cross_entropy.WeightedCrossEntropy`.

    >>> import torch
    >>> logits = torch.zeros(1, 1, 1, 1)
    >>> WeightedBinaryCrossEntropy()(logits, torch.tensor([[[1]]]), torch.tensor([[[3.0]]]))
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
        losses = F.binary_cross_entropy_with_logits(
            one_channel(logits), (target > 0).float(), reduction="none"
        )
        return reduce(losses * (target >= 0), weights, self.reduction, everywhere=self.training)
