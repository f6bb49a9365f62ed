"""Soft Dice (Milletari et al. 2016, doi:10.1109/3DV.2016.79, without their squares)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from unet_exp.losses.classes import require_classes
from unet_exp.losses.reduction import summed
from unet_exp.losses.sigmoid import background_and_foreground


class Dice(nn.Module):
    """One minus the mean over classes of 2 sum(w p t) / (sum(w p) + sum(w t)).

    p is the softmax, or the sigmoid if there is one channel of logits; t is 1 if the pixel belongs
    to the class; w are the pixel weights. The sums are over all pixels of the batch; in training
    mode, the batch is that of all processes.

    Parameters
    ----------
    background
        Whether class 0 is included. With one channel of logits, there is no such class.
    smooth
        Number that is added to numerator and denominator, so that a class that is neither true nor
        predicted has a loss of 0.

    >>> logits = torch.tensor([[[[-9.0, 9.0]], [[9.0, -9.0]]]])
    >>> Dice()(logits, torch.tensor([[[1, 0]]]), torch.ones(1, 1, 2)).round(decimals=4)
    tensor(0.)
    """

    def __init__(self, background: bool = False, smooth: float = 1.0) -> None:
        super().__init__()
        if smooth <= 0:
            raise ValueError(f"smooth = {smooth} lets an absent class be 0 / 0. Take it above 0.")
        self.background, self.smooth = background, smooth

    def forward(
        self,
        logits: Float[Tensor, "b k h w"],
        target: Int[Tensor, "b h w"],
        weights: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Loss of a batch, in float32; pixels with a target of -1 (unknown) do not count."""
        require_classes(target)
        one_channel = logits.shape[1] == 1
        probabilities = (
            background_and_foreground(logits) if one_channel else logits.float().softmax(1)
        )
        first = 0 if self.background and not one_channel else 1
        classes = torch.arange(first, probabilities.shape[1], device=logits.device)
        if one_channel:
            target = target.clamp(max=1)
        weights = (weights.float() * (target >= 0))[:, None]
        predicted = weights * probabilities[:, first:]
        true = target[:, None] == classes[:, None, None]
        both = (predicted * true).sum((0, 2, 3))
        sizes = predicted.sum((0, 2, 3)) + (weights * true).sum((0, 2, 3))
        if self.training:
            both, sizes = summed(torch.stack([both, sizes]))
        return 1 - ((2 * both + self.smooth) / (sizes + self.smooth)).mean()
