"""Cross entropies of classes and scores, and errors of ray distances (arXiv:1806.03535)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from unet_exp.losses.reduction import reduce, summed
from unet_exp.ranges import require_range


class ClassesAndStars(nn.Module):
    """The loss of StarDist, plus weighted cross entropy of the classes.

    The channels of the target are the class, the score s from 0 to 1, and the distances along n
    rays. The last n + 1 channels of the output predict score (a logit) and distances d, and those
    before them are the logits of the classes. With the weight w of each pixel, the loss is

    - the mean of w times the cross entropy of the class, times ``class_weight``,
    - plus the mean of w times the binary cross entropy of the score,
    - plus ``distance_weight`` times the mean of the error of d, each pixel weighted by w s,
    - plus ``distance_weight * background`` times the mean of (1 - s) abs(d) over known pixels.

    Parameters
    ----------
    class_weight
        1, or 0 for the loss as published.
    distance_weight, background
        As of the authors' program.

    >>> output = torch.tensor([0.0, 0.0, 0.0, 4.0]).reshape(1, 4, 1, 1)
    >>> target = torch.tensor([1.0, 1.0, 6.0]).reshape(1, 3, 1, 1)
    >>> ClassesAndStars()(output, target, torch.ones(1, 1, 1))  # 2 log 2 + 0.2 * 2
    tensor(1.7863)
    """

    def __init__(
        self, class_weight: float = 1.0, distance_weight: float = 0.2, background: float = 1e-4
    ) -> None:
        super().__init__()
        require_range(
            0, class_weight=class_weight, distance_weight=distance_weight, background=background
        )
        self.class_weight, self.distance_weight = class_weight, distance_weight
        self.background = background

    def forward(
        self,
        output: Float[Tensor, "b k h w"],
        target: Shaped[Tensor, "b *n h w"],
        weights: Float[Tensor, "b h w"],
    ) -> Float[Tensor, ""]:
        """Loss of a batch, in float32."""
        if target.ndim != 4 or target.shape[1] < 3 or not target.is_floating_point():
            raise ValueError(
                f"This loss compares class, score and distances for each pixel, (b, n, h, w), and "
                f"the target is of shape {tuple(target.shape)}."
            )
        rays = target.shape[1] - 2
        logits, score, distances = output.float().split([output.shape[1] - rays - 1, 1, rays], 1)
        true = target[:, 1]
        classes = F.cross_entropy(logits, target[:, 0].long(), reduction="none")
        scores = F.binary_cross_entropy_with_logits(score[:, 0], true, reduction="none")
        everywhere = self.training
        losses = reduce(self.class_weight * classes + scores, weights, "mean", everywhere)
        errors = (distances - target[:, 2:]).abs().mean(1)
        sums = torch.stack([(errors * true * weights).sum(), (true * weights).sum()])
        total, norm = summed(sums) if everywhere else sums
        outside = (1 - true) * distances.abs().mean(1)
        outside = reduce(outside, (weights > 0).float(), "mean", everywhere)
        rayed = total / norm.clamp(min=1e-6) + self.background * outside
        return losses + self.distance_weight * rayed
