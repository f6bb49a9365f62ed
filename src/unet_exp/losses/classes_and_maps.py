"""Cross entropy of classes, with the errors of further channels that a target has."""

from typing import ClassVar

import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from unet_exp.losses.reduction import REDUCTIONS, reduce
from unet_exp.ranges import require_choice


class ClassesAndMaps(nn.Module):
    """Weighted cross entropy of the classes, plus weighted errors of the other channels.

    The first channel of the target is the class; the others are numbers. The last channels of the
    output predict the numbers, and those before them are the logits of the classes. A subclass
    says in `errors` how the numbers are compared.

    Parameters
    ----------
    factor
        Factor of the errors.
    reduction
        As for `unet_exp.losses.weighted_cross_entropy.WeightedCrossEntropy`.
    """

    numbers: ClassVar[str] = "numbers"
    """What the other channels are, for the message about another target."""
    channels: ClassVar[int | None] = None
    """How many channels a target has, if that is fixed."""

    def __init__(self, factor: float, reduction: str) -> None:
        super().__init__()
        require_choice("reduction", reduction, REDUCTIONS)
        self.factor, self.reduction = factor, reduction

    def errors(
        self, predicted: Float[Tensor, "b m h w"], true: Float[Tensor, "b m h w"]
    ) -> Float[Tensor, "b m h w"]:
        """Return the error of each number; each pixel counts their mean."""
        raise NotImplementedError

    def forward(
        self,
        output: Float[Tensor, "b k h w"],
        target: Shaped[Tensor, "b *n h w"],
        weights: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Loss of a batch, in float32.

        Raises ValueError if the target has other channels.
        """
        other = self.channels is not None and target.shape[1:2] != (self.channels,)
        if target.ndim != 4 or other or not target.is_floating_point():
            raise ValueError(
                f"This loss compares a class and {self.numbers} for each pixel, "
                f"(b, {self.channels or 'n'}, h, w), and the target is of shape "
                f"{tuple(target.shape)}."
            )
        maps = target.shape[1] - 1
        logits, predicted = output.float().split([output.shape[1] - maps, maps], 1)
        classes = F.cross_entropy(logits, target[:, 0].long(), reduction="none")
        losses = classes + self.factor * self.errors(predicted, target[:, 1:]).mean(1)
        return reduce(losses, weights, self.reduction, everywhere=self.training)
