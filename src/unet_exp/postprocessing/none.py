"""No postprocessing: return the class of each pixel, for data without separate objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int, Int32
from torch import Tensor

from unet_exp.arrays import SlicedArray, WritableArray
from unet_exp.postprocessing.blocks import Canvas, Progress


@dataclass(frozen=True)
class ClassMap:
    """Label each pixel with its most probable class; 0 is the background.

    Parameters
    ----------
    num_classes
        Number of channels with classes; other channels are ignored. None means all channels.

    >>> ClassMap()(torch.tensor([[[0.2, 0.6]], [[0.1, 0.3]], [[0.7, 0.1]]]))
    tensor([[2, 0]], dtype=torch.int32)
    """

    num_classes: int | None = None

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Return the class of each pixel of an image; the first, if several are equal."""
        # On a CPU, argmax along the first axis takes 50 times as long.
        return probabilities[: self.num_classes].detach().cpu().max(0).indices.to(torch.int32)

    def in_blocks(
        self,
        probabilities: SlicedArray,
        out: WritableArray,
        block: int = 2048,
        progress: Progress | None = None,
    ) -> int:
        """Write the same classes for an image larger than memory; return the highest class.

        The memory is that for one block. The arrays are as for ``Components.in_blocks``.
        """
        return Canvas(probabilities, out, block, progress=progress).each(self)

    def grid(self, labels: Sequence[Int[Tensor, "_ _"]]) -> dict[str, list[Any]]:
        """Return no values: there is no parameter to fit."""
        return {}
