"""Reduce a loss for each pixel to one number; the weights are w(x) of equation 1."""

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
    """Weighted sum; ``"mean"`` divides it by the number of pixels with a weight above 0.

    If no pixel has such a weight, the result is 0 and still part of the graph. With ``everywhere``,
    the batch is that of all processes (see :func:`summed`).

    >>> losses, weights = torch.tensor([[[1.0, 2.0, 5.0]]]), torch.tensor([[[1.0, 3.0, 0.0]]])
    >>> reduce(losses, weights, "sum"), reduce(losses, weights, "mean")
    (tensor(7.), tensor(3.5000))
    """
    total, pixels = (losses * weights.float()).sum(), (weights > 0).sum()
    if everywhere:
        total, pixels = summed(torch.stack([total, pixels]))
    return total if reduction == "sum" else total / pixels.clamp(min=1)


def summed(sums: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
    """Add up the sums of all processes of a training, each over its part of the batch.

    Data-parallel training uses the mean of the gradients over processes. So the gradient of this
    process's part is multiplied by the number of processes. Then the mean is the gradient of the
    loss of the whole batch, for any function of such sums. With one process, the sum is unchanged.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return sums
    total = sums.detach().clone()
    dist.all_reduce(total)
    if not sums.requires_grad:
        return total
    return total + dist.get_world_size() * (sums - sums.detach())
