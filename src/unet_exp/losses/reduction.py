"""From a loss for each pixel to one number; the weights are w(x) of equation 1."""

import torch
import torch.distributed as dist
from jaxtyping import Float, Shaped
from torch import Tensor

REDUCTIONS = ("mean", "sum")


def reduce(
    losses: Float[Tensor, "b h w"],
    weights: Float[Tensor, "b h w"],
    reduction: str,
    everywhere: bool = False,
) -> Float[Tensor, ""]:
    """Weighted sum, for ``"mean"`` divided by the number of pixels with a weight above 0.

    Where no pixel has one it is 0, and still part of the graph. With ``everywhere`` the batch is
    that of all processes (see :func:`summed`).

    >>> losses, weights = torch.tensor([[[1.0, 2.0, 5.0]]]), torch.tensor([[[1.0, 3.0, 0.0]]])
    >>> reduce(losses, weights, "sum"), reduce(losses, weights, "mean")
    (tensor(7.), tensor(3.5000))
    """
    total, pixels = (losses * weights.float()).sum(), (weights > 0).sum()
    if everywhere:
        total, pixels = summed(torch.stack([total, pixels]))
    return total if reduction == "sum" else total / pixels.clamp(min=1)


def summed(sums: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
    """Add up what the processes of one training have summed, each over its part of the batch.

    Data-parallel training follows the mean over processes of their gradients. So the gradient of
    this process's part is multiplied by their number: the mean is then the gradient of the loss
    of the whole batch, for any function of such sums. A training in one process is its own sum.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return sums
    total = sums.detach().clone()
    dist.all_reduce(total)
    if not sums.requires_grad:
        return total
    return total + dist.get_world_size() * (sums - sums.detach())
