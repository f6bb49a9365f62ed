"""Evidence from the output of a network whose package does not define the output's meaning."""

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, Shaped, UInt8
from torch import Tensor

from unet_exp.images.npy import read_header
from unet_exp.packages.archive import PackageError
from unet_exp.ranges import require_choice
from unet_exp.targets.foreground import Foreground
from unet_exp.targets.target import Encoded

#: Largest difference between a sum of probabilities and 1.
ROUNDING = 1e-3
MEANINGS = {
    "sigmoid": "the logit of the foreground (sigmoid)",
    "foreground": "the probability of the foreground",
    "softmax": "the logits of classes, background first (softmax)",
    "classes": "the probabilities of classes, background first",
    "first": "independent probabilities, the first of them that of the foreground",
}


@dataclass(frozen=True)
class AssumedMeaning:
    """The assumed meaning of a network's output: probabilities, or logits.

    Parameters
    ----------
    channels
        Number of channels of the output.
    meaning
        A key of ``MEANINGS``.

    >>> AssumedMeaning(1, "foreground").evidence(torch.full((1, 1, 1, 1), 0.25)).flatten().tolist()
    [0.75, 0.25]
    """

    channels: int
    meaning: str

    maps = ()
    losses = ()
    gap = 0
    height = None
    smoothing = 2.0
    seed_threshold = 0.8

    def __post_init__(self) -> None:
        require_choice("meaning", self.meaning, MEANINGS)

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.channels

    @property
    def num_classes(self) -> int:
        """Number of classes of the evidence, including the background."""
        return self.channels if self.meaning in ("softmax", "classes") else 2

    def encode(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
    ) -> Encoded:
        """Return the class of each pixel, -1 where unknown; scores need no more."""
        return Foreground(self.num_classes, separation=False).encode(labels, classes)

    def evidence(self, output: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """Return the probabilities of the classes, background first."""
        output = output.float()
        if self.meaning == "softmax":
            return output.softmax(1)
        if self.meaning == "classes":
            return output
        inside = output[:, :1].sigmoid() if self.meaning == "sigmoid" else output[:, :1]
        return torch.cat([1 - inside, inside], 1)


def meaning_of(example: Shaped[np.ndarray, "..."], channel: int | None) -> str:
    """Infer the meaning of an output from an example.

    Parameters
    ----------
    channel
        The axis of the channels, if there is one.

    >>> meaning_of(np.array([[-2.0, 3.0]]), None)
    'sigmoid'
    >>> meaning_of(np.array([[0.25, 1.0], [0.75, 0.0]]), 0)
    'classes'
    """
    probable = bool((example >= 0).all() and (example <= 1).all())
    if channel is None or example.shape[channel] == 1:
        return "foreground" if probable else "sigmoid"
    if not probable:
        return "softmax"
    sums = example.sum(channel)
    return "classes" if np.allclose(sums, 1, atol=ROUNDING) else "first"


def read_npy(content: bytes, where: str) -> Shaped[np.ndarray, "..."]:
    """Return the numbers of an NPY file that may come from an enemy.

    Raises PackageError if it is no NPY file, or if it claims more numbers than it holds.
    """
    file = io.BytesIO(content)
    try:
        shape, dtype = read_header(file)
        pixels = math.prod(shape)
        if dtype.kind not in "fiub" or min(shape, default=0) < 0:
            raise ValueError(f"it holds {dtype} of shape {shape}")
        if pixels * dtype.itemsize != len(content) - file.tell():
            raise ValueError(f"it does not hold the {pixels} numbers that it claims")
        return np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy's parser of headers raises many kinds
        raise PackageError(f"{where} is no NPY file of numbers ({error}).") from error
