"""No postprocessing: the class of each pixel, for data whose objects are not told apart."""

import torch
from jaxtyping import Float, Int32
from torch import Tensor


def none(probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
    """Label each pixel with its most probable class; 0 is the background.

    >>> none(torch.tensor([[[0.2, 0.6]], [[0.1, 0.3]], [[0.7, 0.1]]]))
    tensor([[2, 0]], dtype=torch.int32)
    """
    return probabilities.detach().cpu().argmax(0).to(torch.int32)
