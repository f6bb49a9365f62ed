"""The interface of a loss for training."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Shaped
from torch import Tensor, nn


@runtime_checkable
class Loss(Protocol):
    """A module that compares a network's output with a target, and returns one number.

    It is a ``torch.nn.Module``. If it has parameters or buffers, a checkpoint holds them. The
    parameters of its constructor are options: ``loss.alpha=0.5``.
    """

    def __call__(
        self,
        output: Float[Tensor, "b k h w"],
        target: Shaped[Tensor, "b *c h w"],
        weights: Float[Tensor, "b h w"],
        /,
    ) -> Float[Tensor, ""]:
        """Return the loss of a batch, as float32.

        Parameters
        ----------
        output
            The network's output, without softmax or sigmoid.
        target
            The target's result of ``encode``. For classes: int64 (b, h, w), -1 where unknown.
        weights
            The weight of each pixel; 0 for unknown pixels, which do not count.
        """
        ...


def require_loss(loss: Any) -> None:
    """Raise TypeError unless a loss is a ``torch.nn.Module``.

    >>> require_loss(lambda output, target, weights: output.mean())
    Traceback (most recent call last):
    TypeError: loss: function is no torch.nn.Module. unet_exp.losses.loss.Loss describes what ...
    """
    if not isinstance(loss, nn.Module):
        kind = type(loss).__name__
        raise TypeError(
            f"loss: {kind} is no torch.nn.Module. {__name__}.Loss describes what a loss needs. "
            "Write a class that inherits from torch.nn.Module and has a forward."
        )


def require_number(found: Any) -> None:
    """Raise TypeError unless a loss has returned one number that depends on the output."""
    if not isinstance(found, Tensor):
        raise TypeError(f"it returns a {type(found).__name__}, and not a tensor.")
    if found.ndim:
        raise TypeError(f"it returns shape {tuple(found.shape)}, and not one number.")
    if not found.requires_grad:
        raise TypeError("it returns a number without a gradient: it does not use the output.")
