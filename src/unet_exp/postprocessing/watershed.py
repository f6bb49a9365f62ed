"""Instances as the hills of a landscape, made from the network's certainty and from the shapes.

See :mod:`unet_exp.postprocessing.basins`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Int32
from torch import Tensor

from unet_exp.arrays import SlicedArray, WritableArray
from unet_exp.postprocessing.basins import Basins, find_basins
from unet_exp.postprocessing.blocks import Block, Canvas, Progress
from unet_exp.postprocessing.grids import (
    CONTRASTS,
    SEED_THRESHOLDS,
    SHAPES,
    THRESHOLDS,
    lengths_and_sizes,
)
from unet_exp.postprocessing.joining import parts_of_foreground, write_numbers
from unet_exp.postprocessing.objects import (
    distance_to,
    filled,
    smoothed,
    without_gaps,
    without_small,
)
from unet_exp.postprocessing.windows import divided
from unet_exp.ranges import Range, require_range, require_ranges


@dataclass(frozen=True)
class Watershed:
    """Divide the foreground, 1 - probabilities[0] > ``threshold``, at the passes between hills.

    The height of a pixel is its probability plus ``shape`` times log(1 + its distance to the
    background in pixels), both smoothed.

    Parameters
    ----------
    threshold, min_size, fill_holes, grow, fit
        As for `unet_exp.postprocessing.components.Components`.
    seed_threshold
        In each object, the smoothed probability (or ``height``) must exceed this at some pixel.
        Other hills are removed, or joined to the hill that they lead to.
    contrast
        Two hills are two objects if the lower peak is at least this much above the pass between
        them. Otherwise they are one object.
    shape
        Weight of the shape: how strongly a narrow neck separates objects even if the network is
        certain there. 0 means that shapes do not matter.
    smoothing
        Standard deviation in pixels of the smoothing, which is restricted to the foreground.
    height
        The channel that replaces the foreground's probability as the height of hills. Some targets
        have such a channel after the classes. None means the foreground's probability.

    >>> inside = torch.tensor([[0.95, 0.8, 0.6, 0.7, 0.99, 0.1, 0.6]])
    >>> Watershed(shape=0, smoothing=0)(torch.stack([1 - inside, inside]))
    tensor([[1, 1, 1, 2, 2, 0, 0]], dtype=torch.int32)
    """

    RANGES: ClassVar[dict[str, Range]] = {
        "threshold": Range(0, 1),
        "seed_threshold": Range(0, 1),
        "contrast": Range(0, usual=1),
        "shape": Range(0, usual=2),
        "smoothing": Range(0, usual=20),
        "min_size": Range(0, usual=1000),
        "fill_holes": Range(0, 1),
        "grow": Range(0, usual=20),
    }

    threshold: float = 0.5
    seed_threshold: float = 0.8
    contrast: float = 0.15
    shape: float = 0.5
    smoothing: float = 2.0
    min_size: int = 0
    fill_holes: bool = True
    grow: int = 0
    height: int | None = None
    fit: bool = True

    def __post_init__(self) -> None:
        require_ranges(self.RANGES, self)
        if self.height is not None:
            require_range(1, height=self.height)

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Return the objects of an image, numbered from 1 in the order of their first pixels."""
        return self.finish(self.prepare(probabilities))

    @property
    def preparation(self) -> tuple[Any, ...]:
        """The parameters that `prepare` depends on. That step takes most of the time."""
        return self.threshold, self.fill_holes, self.shape, self.smoothing, self.height

    def prepare(self, probabilities: Float[Tensor, "c h w"]) -> Basins:
        """Return the hills of an image; `finish` joins them to objects."""
        evidence = probabilities.detach().cpu().float()
        mask = (1 - evidence[0]).numpy() > self.threshold
        return self.basins(self.certainty_of(evidence), filled(mask) if self.fill_holes else mask)

    def finish(self, basins: Basins) -> Int32[Tensor, "h w"]:
        """Return the objects of an image, given its hills."""
        return torch.from_numpy(without_gaps(self.joined(basins), self.grow))

    def certainty_of(self, evidence: Float32[Tensor, "c h w"]) -> Float32[np.ndarray, "h w"]:
        """Return the channel ``height``, or else the probability of the foreground.

        Raises ValueError if the evidence has no such channel.
        """
        if self.height is None:
            return (1 - evidence[0]).numpy()
        if self.height >= len(evidence):
            raise ValueError(
                f"postprocessing.height={self.height}, but the evidence has the channels 0 to "
                f"{len(evidence) - 1}. Leave it out, so that it follows the target."
            )
        return evidence[self.height].numpy()

    def divide(
        self, certainty: Float32[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"]
    ) -> Int32[np.ndarray, "h w"]:
        """Divide the connected parts of a mask, each separately, into objects.

        Pixels outside the mask have no influence, so a part may be divided alone.
        """
        return self.joined(self.basins(certainty, mask))

    def basins(
        self, certainty: Float32[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"]
    ) -> Basins:
        """Return the hills of a mask, from certainty and shape."""
        height = certainty = smoothed(certainty, mask, self.smoothing)
        if self.shape > 0:
            width = np.log1p(distance_to(~mask))
            height = certainty + np.float32(self.shape) * smoothed(width, mask, self.smoothing)
        return find_basins(height, certainty, mask)

    def joined(self, basins: Basins) -> Int32[np.ndarray, "h w"]:
        """Join hills to objects, and remove small ones."""
        return without_small(basins.joined(self.contrast, self.seed_threshold), self.min_size)

    def in_blocks(
        self,
        probabilities: SlicedArray,
        out: WritableArray,
        block: int = 2048,
        progress: Progress | None = None,
    ) -> int:
        """Write the same labels for an image larger than memory; return the number of objects.

        Arrays and memory are as for ``Components.in_blocks``, but connected foreground is divided
        as a whole. So a window contains all foreground that starts in a block, and takes about 120
        bytes for each pixel. If a window is larger than four blocks, a warning is logged.
        """
        visits = 4 + self.fill_holes + (self.grow > 0)
        canvas = Canvas(probabilities, out, block, visits, progress)
        if len(canvas.blocks) == 1:
            return canvas.each(self)

        def certainty(block: Block) -> Float32[np.ndarray, "h w"]:
            return self.certainty_of(canvas.read(block))

        parts = parts_of_foreground(canvas, self.threshold, self.fill_holes, 1, self.min_size)
        return write_numbers(canvas, divided(canvas, parts, certainty, self.divide), self.grow)

    def magnified(self, factor: float) -> "Watershed":
        """Return the same postprocessing for images in which objects are ``factor`` times as wide.

        >>> found = Watershed(smoothing=2.0, min_size=10, grow=1).magnified(3)
        >>> found.smoothing, found.min_size, found.grow
        (6.0, 90, 3)
        """
        return replace(
            self,
            smoothing=self.smoothing * factor,
            min_size=round(self.min_size * factor**2),
            grow=ceil(self.grow * factor),
        )

    def grid(self, labels: Sequence[Int[Tensor, "_ _"]]) -> dict[str, list[Any]]:
        """Return values to try for each parameter that can be fitted to true labels."""
        return {
            "threshold": THRESHOLDS,
            "contrast": CONTRASTS,
            "shape": SHAPES,
            "seed_threshold": SEED_THRESHOLDS,
            "fill_holes": [True, False],
            **lengths_and_sizes(labels),
        }
