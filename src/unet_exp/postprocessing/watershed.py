"""Instances by seeded watershed: flooding from where the network is sure, as in Cousty et al. 2009.

See :mod:`unet_exp.postprocessing.flooding` (doi:10.1109/TPAMI.2008.173).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Int32
from scipy.ndimage import gaussian_filter
from torch import Tensor

from unet_exp.arrays import SlicedArray, WritableArray
from unet_exp.connectivity import label_components
from unet_exp.postprocessing.blocks import Block, Canvas, Progress
from unet_exp.postprocessing.flooding import flooded
from unet_exp.postprocessing.grids import SEED_THRESHOLDS, THRESHOLDS, lengths_and_sizes
from unet_exp.postprocessing.joining import mask_without_holes, parts_of, write_numbers
from unet_exp.postprocessing.objects import (
    distance_to,
    filled,
    without_gaps,
    without_small,
)
from unet_exp.postprocessing.windows import divided
from unet_exp.ranges import require_range


@dataclass(frozen=True)
class Watershed:
    """Flood the foreground, 1 - probabilities[0] > ``threshold``, from seeds inside it.

    Parameters
    ----------
    seed_threshold
        Seeds are the connected regions whose height exceeds this.
    seed_depth
        They also keep more than this many pixels from the background: cells that touch in a
        narrow neck come apart although the network is sure of them.
    min_seed
        Seeds of fewer pixels are ignored. Foreground that no seed reaches is dropped.
    min_size, fill_holes, grow, fit
        As for ``Components``.
    height
        The channel in which seeds are found and over which they are flooded. Some targets offer
        one after the classes. None: the foreground's probability.
    smoothing
        Standard deviation, in pixels, of the Gaussian that smooths the height.

    >>> inside = torch.tensor([[0.95, 0.8, 0.6, 0.7, 0.99, 0.1, 0.7]])
    >>> Watershed()(torch.stack([1 - inside, inside]))
    tensor([[1, 1, 1, 2, 2, 0, 0]], dtype=torch.int32)
    """

    threshold: float = 0.5
    seed_threshold: float = 0.9
    seed_depth: float = 0.0
    min_seed: int = 0
    min_size: int = 0
    fill_holes: bool = True
    grow: int = 0
    height: int | None = None
    smoothing: float = 0.0
    fit: bool = True

    def __post_init__(self) -> None:
        require_range(0, 1, threshold=self.threshold, seed_threshold=self.seed_threshold)
        require_range(
            0,
            seed_depth=self.seed_depth,
            min_seed=self.min_seed,
            min_size=self.min_size,
            grow=self.grow,
            smoothing=self.smoothing,
        )
        if self.height is not None:
            require_range(1, height=self.height)
        elif self.seed_threshold < self.threshold:
            raise ValueError(
                f"seed_threshold={self.seed_threshold} is below threshold={self.threshold}, so "
                f"seeds would lie outside the objects. Raise seed_threshold, or lower threshold."
            )

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Give the objects of an image numbers from 1, in the reading order of their seeds."""
        evidence = probabilities.detach().cpu().float()
        mask = (1 - evidence[0]).numpy() > self.threshold
        height = self.height_of(evidence)
        labels, _ = self.divide(height, filled(mask) if self.fill_holes else mask)
        return torch.from_numpy(without_gaps(labels, self.grow))

    def height_of(self, evidence: Float32[Tensor, "c h w"]) -> Float32[np.ndarray, "h w"]:
        """Return the height of each pixel, smoothed.

        Raises ValueError if the evidence has no such channel.
        """
        if self.height is not None and self.height >= len(evidence):
            raise ValueError(
                f"postprocessing.height={self.height}, but the evidence has the channels 0 to "
                f"{len(evidence) - 1}. Leave it out, so that it follows the target."
            )
        height = (1 - evidence[0] if self.height is None else evidence[self.height]).numpy()
        if not self.smoothing:
            return height
        return np.asarray(gaussian_filter(height, self.smoothing, radius=self.margin))

    @property
    def margin(self) -> int:
        """Pixels around a pixel that its smoothed height depends on."""
        return math.ceil(3 * self.smoothing)

    def divide(
        self, height: Float32[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"]
    ) -> tuple[Int32[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
        """Divide the connected parts of a mask, each by itself, into objects; also give the seeds.

        What lies outside the mask has no influence, so a part may be divided alone.
        """
        sure = mask & (height > self.seed_threshold)
        if self.seed_depth > 0:
            sure &= distance_to(~mask) > self.seed_depth
        seeds = without_small(label_components(sure), self.min_seed)
        return without_small(flooded(height, seeds, mask), self.min_size), seeds > 0

    def in_blocks(
        self,
        probabilities: SlicedArray,
        out: WritableArray,
        block: int = 2048,
        progress: Progress | None = None,
    ) -> int:
        """Write the same labels for an image larger than memory; return how many objects it has.

        Arrays and memory as for ``Components.in_blocks``, but connected foreground is flooded as
        a whole: a window that holds all that starts in a block takes some 120 bytes a pixel. A
        warning is logged when such a window is larger than four blocks.
        """
        visits = 4 + self.fill_holes + (self.grow > 0)
        canvas = Canvas(probabilities, out, block, visits, progress)
        if len(canvas.blocks) == 1:
            return canvas.each(self)

        def mask(block: Block) -> Bool[np.ndarray, "h w"]:
            return canvas.foreground(block) > self.threshold

        def height(block: Block) -> Float32[np.ndarray, "h w"]:
            window = block.widened(self.margin, canvas.height, canvas.width)
            return self.height_of(canvas.read(window))[block.within(window)]

        filled = mask_without_holes(canvas, mask, connectivity=1) if self.fill_holes else mask
        # What is smaller than a seed or an object may be holds none.
        parts = parts_of(canvas, filled, 1, min_size=max(self.min_seed, self.min_size))
        return write_numbers(canvas, divided(canvas, parts, height, self.divide), self.grow)

    def grid(self, labels: Sequence[Int[Tensor, "_ _"]]) -> dict[str, list[Any]]:
        """Offer values to try for each parameter that can be fitted to true labels."""
        return {
            "threshold": THRESHOLDS,
            "seed_threshold": SEED_THRESHOLDS,
            "fill_holes": [True, False],
            **lengths_and_sizes(labels),
        }
