"""From a loss for each pixel to one number; the weights are w(x) of equation 1."""

from jaxtyping import Float
from torch import Tensor

REDUCTIONS = ("mean", "sum")


def check_reduction(reduction: str) -> str:
    """Return ``reduction`` if there is such a one."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction = {reduction!r} is unknown. Choose one of {REDUCTIONS}.")
    return reduction


def reduce(
    losses: Float[Tensor, "b h w"], weights: Float[Tensor, "b h w"], reduction: str
) -> Float[Tensor, ""]:
    """Weighted sum, for ``"mean"`` divided by the number of pixels with a weight above 0.

    Where no pixel has one it is 0, and still part of the graph.

    >>> import torch
    >>> losses, weights = torch.tensor([[[1.0, 2.0, 5.0]]]), torch.tensor([[[1.0, 3.0, 0.0]]])
    >>> reduce(losses, weights, "sum"), reduce(losses, weights, "mean")
    (tensor(7.), tensor(3.5000))
    """
    total = (losses * weights.float()).sum()
    return total if reduction == "sum" else total / (weights > 0).sum().clamp(min=1)
