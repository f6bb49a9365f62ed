"""One channel of logits for two classes, as in the popular Keras U-Net (zhixuhao/unet)."""

import torch
from jaxtyping import Float
from torch import Tensor


def one_channel(logits: Float[Tensor, "b k h w"]) -> Float[Tensor, "b h w"]:
    """Return the only channel, as float32.

    >>> one_channel(torch.zeros(1, 2, 4, 4))
    Traceback (most recent call last):
    ValueError: A sigmoid takes 1 channel of logits, not 2: target.activation=sigmoid makes 1.
    """
    if logits.shape[1] != 1:
        raise ValueError(
            f"A sigmoid takes 1 channel of logits, not {logits.shape[1]}: "
            "target.activation=sigmoid makes 1."
        )
    return logits[:, 0].float()


def background_and_foreground(logits: Float[Tensor, "b k h w"]) -> Float[Tensor, "b 2 h w"]:
    """Return the probabilities of background and of foreground, from the only channel.

    >>> background_and_foreground(torch.zeros(1, 1, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """
    channel = one_channel(logits)
    # 1 - p would be rounded to 0 in float32 for small probabilities.
    return torch.stack([(-channel).sigmoid(), channel.sigmoid()], dim=1)
