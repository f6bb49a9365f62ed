"""Activations by name, for every network; scaled tanh: LeCun 1998, doi:10.1007/3-540-49430-8_2."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3), which is close to 1 at 1 and to -1 at -1; ``x`` is overwritten.

    >>> import torch
    >>> ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-1.0000,  0.0000,  1.0000])
    """

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Activation of each value."""
        return 1.7159 * x.mul_(2 / 3).tanh_()


# They work in place if their backward pass only needs the output. Norms and convolutions allow
# this.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "leaky_relu": partial(nn.LeakyReLU, inplace=True),
    "elu": partial(nn.ELU, inplace=True),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "scaled_tanh": ScaledTanh,
}
