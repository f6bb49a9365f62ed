"""Cross entropy of classes and squared errors of flows (doi:10.1038/s41592-020-01018-x)."""

import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from unet_exp.losses.reduction import REDUCTIONS, reduce
from unet_exp.ranges import require_choice, require_range

#: The network predicts vectors of this length, so that both parts of the loss are of one size.
SCALE = 5.0


class ClassesAndFlows(nn.Module):
    """Weighted cross entropy of the classes, plus weighted squared errors of 5 times the flow.

    The first channel of the target is the class, the other two are the vector. The last two
    channels of the output predict 5 times the vector, and those before them are the logits of the
    classes.

    Parameters
    ----------
    flow_weight
        Factor of the squared error, which is the mean of both channels. The authors' program takes
        a half.
    reduction
        As for `unet_exp.losses.weighted_cross_entropy.WeightedCrossEntropy`.

    >>> import torch
    >>> output = torch.tensor([0.0, 0.0, 5.0, 2.0]).reshape(1, 4, 1, 1)
    >>> target = torch.tensor([1.0, 1.0, 0.0]).reshape(1, 3, 1, 1)
    >>> ClassesAndFlows()(output, target, torch.ones(1, 1, 1))  # log 2 + (0 + 4) / 4
    tensor(1.6931)
    """

    def __init__(self, flow_weight: float = 0.5, reduction: str = "mean") -> None:
        super().__init__()
        require_range(0, flow_weight=flow_weight)
        require_choice("reduction", reduction, REDUCTIONS)
        self.flow_weight, self.reduction = flow_weight, reduction

    def forward(
        self,
        output: Float[Tensor, "b k h w"],
        target: Shaped[Tensor, "b *n h w"],
        weights: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Loss of a batch, in float32."""
        if target.ndim != 4 or target.shape[1] != 3 or not target.is_floating_point():
            raise ValueError(
                f"This loss compares a class and a vector for each pixel, (b, 3, h, w), and the "
                f"target is of shape {tuple(target.shape)}."
            )
        logits, predicted = output.float().split([output.shape[1] - 2, 2], 1)
        classes = F.cross_entropy(logits, target[:, 0].long(), reduction="none")
        errors = (predicted - SCALE * target[:, 1:]).square().mean(1)
        losses = classes + self.flow_weight * errors
        return reduce(losses, weights, self.reduction, everywhere=self.training)
