"""A loss of our own: see `unet_exp.losses.loss.Loss` for what it needs."""

import torch.nn.functional as F
from torch import Tensor, nn

from unet_exp.losses.reduction import reduce


class Focal(nn.Module):
    """Cross entropy that counts certain pixels less (doi:10.1109/ICCV.2017.324)."""

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, output: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        """Return the loss of a batch."""
        losses = F.cross_entropy(output.float(), target, ignore_index=-1, reduction="none")
        focal = (1 - (-losses).exp()) ** self.gamma * losses
        return reduce(focal, weights, "mean", everywhere=self.training)
