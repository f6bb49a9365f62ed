"""Instances as connected components of the foreground: Rosenfeld 1966 (doi:10.1145/321356.321357).

The weight map of Ronneberger et al. 2015, equation 2, makes the network draw a background border
between touching cells, so that each component is a cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int, Int32
from torch import Tensor

from unet_exp.arrays import SlicedArray, WritableArray
from unet_exp.connectivity import label_components, require_connectivity
from unet_exp.postprocessing.blocks import Canvas, Progress
from unet_exp.postprocessing.grids import THRESHOLDS, lengths_and_sizes
from unet_exp.postprocessing.joining import parts_of_foreground, write_numbers
from unet_exp.postprocessing.objects import filled, without_gaps, without_small
from unet_exp.ranges import Range, require_ranges


@dataclass(frozen=True)
class Components:
    """Label where the foreground's probability, 1 - probabilities[0], exceeds ``threshold``.

    Parameters
    ----------
    threshold
        Pixels with a higher probability of the foreground belong to an object.
    min_size
        Objects with fewer pixels are removed, after holes are filled.
    fill_holes
        Whether background enclosed by foreground becomes foreground.
    connectivity
        1 joins pixels that share a side; 2 also joins pixels that share a corner.
    grow
        Pixels by which two objects grow towards each other, without merging, if the gap between
        them is at most twice as wide.
    fit
        Whether a training fits the other parameters to its validation images at its end.

    >>> inside = torch.tensor([[0.9, 0.8, 0.2, 0.9]])
    >>> Components()(torch.stack([1 - inside, inside]))
    tensor([[1, 1, 0, 2]], dtype=torch.int32)
    """

    RANGES: ClassVar[dict[str, Range]] = {
        "threshold": Range(0, 1),
        "min_size": Range(0, usual=1000),
        "fill_holes": Range(0, 1),
        "connectivity": Range(1, 2),
        "grow": Range(0, usual=20),
    }

    threshold: float = 0.5
    min_size: int = 0
    fill_holes: bool = True
    connectivity: int = 1
    grow: int = 0
    fit: bool = True

    def __post_init__(self) -> None:
        require_connectivity(self.connectivity)
        require_ranges(self.RANGES, self)

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Return the objects of an image, numbered from 1 in reading order; 0 is the background."""
        foreground = 1 - probabilities[0].detach().cpu().float()
        mask = (foreground > self.threshold).numpy()
        if self.fill_holes:
            mask = filled(mask, self.connectivity)
        labels = without_small(label_components(mask, self.connectivity), self.min_size)
        return torch.from_numpy(without_gaps(labels, self.grow))

    def in_blocks(
        self,
        probabilities: SlicedArray,
        out: WritableArray,
        block: int = 2048,
        progress: Progress | None = None,
    ) -> int:
        """Write the same labels for an image larger than memory; return the number of objects.

        The memory is that for a block of ``block`` x ``block`` pixels and its intermediate results,
        plus about 100 bytes for each object in each block.

        Parameters
        ----------
        probabilities
            Array-like (c, h, w), read by slices ``[:, y0:y1, x0:x1]`` only.
        out
            Array-like (h, w) of 32 bit, written and read back by slices ``[y0:y1, x0:x1]``.

        >>> import numpy as np
        >>> inside = np.array([[0.9, 0.8, 0.7, 0.2, 0.9]], np.float32)
        >>> out = np.empty((1, 5), np.uint32)
        >>> Components().in_blocks(np.stack([1 - inside, inside]), out, block=2)
        2
        >>> out
        array([[1, 1, 1, 0, 2]], dtype=uint32)
        """
        visits = 2 + self.fill_holes + (self.grow > 0)
        canvas = Canvas(probabilities, out, block, visits, progress)
        if len(canvas.blocks) == 1:
            return canvas.each(self)
        parts = parts_of_foreground(
            canvas, self.threshold, self.fill_holes, self.connectivity, self.min_size
        )
        return write_numbers(canvas, parts.numbers(self.min_size), self.grow)

    def magnified(self, factor: float) -> "Components":
        """Return the same postprocessing for images in which objects are ``factor`` times as wide.

        >>> Components(min_size=10, grow=1).magnified(0.5)
        Components(threshold=0.5, min_size=2, fill_holes=True, connectivity=1, grow=1, fit=True)
        """
        return replace(
            self,
            min_size=round(self.min_size * factor**2),
            grow=ceil(self.grow * factor),
        )

    def grid(self, labels: Sequence[Int[Tensor, "_ _"]]) -> dict[str, list[Any]]:
        """Return values to try for each parameter that can be fitted to true labels."""
        offered = lengths_and_sizes(labels)
        sizes = {name: offered[name] for name in ("min_size", "grow") if name in offered}
        return {"threshold": THRESHOLDS, "fill_holes": [True, False], **sizes}
