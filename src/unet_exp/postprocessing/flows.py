"""Objects as the pixels whose flow leads to one place (doi:10.1038/s41592-020-01018-x)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Int32
from torch import Tensor

from unet_exp.arrays import SlicedArray, WritableArray
from unet_exp.postprocessing.blocks import Block, Canvas, Progress
from unet_exp.postprocessing.following import Sinks, find_sinks
from unet_exp.postprocessing.grids import FLOW_THRESHOLDS, THRESHOLDS, lengths_and_sizes
from unet_exp.postprocessing.joining import parts_of_foreground, write_numbers
from unet_exp.postprocessing.objects import filled
from unet_exp.postprocessing.windows import divided
from unet_exp.ranges import Range, require_range, require_ranges


@dataclass(frozen=True)
class FollowedFlows:
    """Let the pixels of the foreground follow the flow; those that meet are one object.

    An object needs a place where more than 10 paths end, so smaller ones are never found. An object
    is dropped if the flow of its outline, as a target has it, differs from the given
    flow. See `unet_exp.postprocessing.following`.

    Parameters
    ----------
    threshold, min_size, fill_holes, fit
        As for `unet_exp.postprocessing.components.Components`. A hole is filled if one object alone
        surrounds it.
    flow_threshold
        Largest mean square of the difference between both flows of an object. 4 drops none.
    steps
        How often a pixel takes a step, of up to 1 pixel.
    flow
        The first of the two channels of the flow: how far down, and how far right.

    >>> right = torch.tensor([[1.0, 1.0, 0.0, -1.0, 1.0, 0.0, -1.0]]).repeat(7, 1)
    >>> down = torch.tensor([1.0, 1.0, 1.0, 0.0, -1.0, -1.0, -1.0])[:, None].expand(7, 7)
    >>> evidence = torch.stack([torch.zeros(7, 7), torch.ones(7, 7), down, right])
    >>> FollowedFlows()(evidence)[0]
    tensor([1, 1, 1, 1, 2, 2, 2], dtype=torch.int32)
    """

    RANGES: ClassVar[dict[str, Range]] = {
        "threshold": Range(0, 1),
        "flow_threshold": Range(0, 4),
        "min_size": Range(0, usual=1000),
        "fill_holes": Range(0, 1),
        "steps": Range(1, usual=1000),
    }

    threshold: float = 0.5
    flow_threshold: float = 0.4
    min_size: int = 0
    fill_holes: bool = True
    steps: int = 200
    flow: int = 2
    fit: bool = True

    def __post_init__(self) -> None:
        require_ranges(self.RANGES, self)
        require_range(1, flow=self.flow)

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Give the objects of an image numbers from 1, in the reading order of their pixels."""
        return self.finish(self.prepare(probabilities))

    @property
    def preparation(self) -> tuple[Any, ...]:
        """The parameters on which `prepare` depends; it takes most of the time."""
        return self.threshold, self.fill_holes, self.steps, self.flow

    def prepare(self, probabilities: Float[Tensor, "c h w"]) -> Sinks:
        """Return where the flow leads, of which `finish` makes objects."""
        evidence = probabilities.detach().cpu().float().numpy()
        mask = 1 - evidence[0] > self.threshold
        return self.sinks(evidence, filled(mask) if self.fill_holes else mask)

    def finish(self, sinks: Sinks) -> Int32[Tensor, "h w"]:
        """Return the objects of an image."""
        return torch.from_numpy(sinks.objects(self.flow_threshold, self.min_size))

    def sinks(self, evidence: Float32[np.ndarray, "c h w"], mask: Bool[np.ndarray, "h w"]) -> Sinks:
        """Return where the flow leads in a mask, whose holes are filled if they are to be.

        Raises ValueError if the evidence has no flow.
        """
        if self.flow + 2 > len(evidence):
            raise ValueError(
                f"postprocessing.flow={self.flow}, but the evidence has the channels 0 to "
                f"{len(evidence) - 1}. postprocessing=flows fits target=flows only."
            )
        moving = mask & (1 - evidence[0] > self.threshold)
        flow = evidence[self.flow : self.flow + 2]
        return find_sinks(flow, mask, moving, self.steps, self.fill_holes)

    def divide(
        self, evidence: Float32[np.ndarray, "c h w"], mask: Bool[np.ndarray, "h w"]
    ) -> Int32[np.ndarray, "h w"]:
        """Divide the connected parts of a mask, each by itself, into objects."""
        return self.sinks(evidence, mask).objects(self.flow_threshold, self.min_size)

    def in_blocks(
        self,
        probabilities: SlicedArray,
        out: WritableArray,
        block: int = 2048,
        progress: Progress | None = None,
    ) -> int:
        """Write the same labels for an image larger than memory; return how many objects it has.

        Arrays and memory as for ``Watershed.in_blocks``: connected foreground is held as a whole,
        because no pixel's path leaves it.
        """
        canvas = Canvas(probabilities, out, block, 4 + self.fill_holes, progress)
        if len(canvas.blocks) == 1:
            return canvas.each(self)

        def evidence(block: Block) -> Float32[np.ndarray, "c h w"]:
            return canvas.read(block).numpy()

        parts = parts_of_foreground(canvas, self.threshold, self.fill_holes, 1, self.min_size)
        return write_numbers(canvas, divided(canvas, parts, evidence, self.divide))

    def magnified(self, factor: float) -> "FollowedFlows":
        """Return the same postprocessing for images in which objects are ``factor`` times as wide.

        >>> found = FollowedFlows(min_size=10).magnified(3)
        >>> found.min_size, found.steps
        (90, 600)
        """
        return replace(
            self, min_size=round(self.min_size * factor**2), steps=ceil(self.steps * factor)
        )

    def grid(self, labels: Sequence[Int[Tensor, "_ _"]]) -> dict[str, list[Any]]:
        """Offer values to try for each parameter that can be fitted to true labels."""
        sizes = lengths_and_sizes(labels)
        return {
            "threshold": THRESHOLDS,
            "flow_threshold": FLOW_THRESHOLDS,
            "fill_holes": [True, False],
            **{name: sizes[name] for name in ("min_size",) if name in sizes},
        }
