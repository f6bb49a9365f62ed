"""Check the target of losses for classes."""

from jaxtyping import Shaped
from torch import Tensor


def require_classes(target: Shaped[Tensor, "..."]) -> None:
    """Refuse a target that does not have one class for each pixel, (b, h, w) whole numbers.

    >>> import torch
    >>> require_classes(torch.zeros(1, 2, 4, 4))
    Traceback (most recent call last):
    ValueError: This loss compares classes (b, h, w), and the target is float32 (1, 2, 4, 4).
    """
    if target.ndim != 3 or target.is_floating_point():
        kind = str(target.dtype).removeprefix("torch.")
        raise ValueError(
            f"This loss compares classes (b, h, w), and the target is {kind} {tuple(target.shape)}."
        )
