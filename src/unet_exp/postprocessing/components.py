"""Instances as connected components of the foreground: Rosenfeld 1966 (doi:10.1145/321356.321357).

The weight map of Ronneberger et al. 2015, equation 2, makes the network draw a background border
between touching cells, so that each component is a cell.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int32
from torch import Tensor

from unet_exp.postprocessing.objects import filled, labelled, without_gaps, without_small
from unet_exp.postprocessing.ranges import (
    require_connectivity,
    require_not_negative,
    require_probability,
)


@dataclass(frozen=True)
class Components:
    """Label where the foreground's probability, 1 - probabilities[0], exceeds ``threshold``.

    Parameters
    ----------
    min_size
        Objects of fewer pixels are removed, after holes are filled.
    fill_holes
        Whether background enclosed by foreground becomes foreground.
    connectivity
        1: pixels that share a side are one object; 2: or a corner.
    grow
        Pixels by which objects grow towards each other where a gap of at most twice as many
        separates them, without merging.

    >>> inside = torch.tensor([[0.9, 0.8, 0.2, 0.9]])
    >>> Components()(torch.stack([1 - inside, inside]))
    tensor([[1, 1, 0, 2]], dtype=torch.int32)
    """

    threshold: float = 0.5
    min_size: int = 0
    fill_holes: bool = True
    connectivity: int = 1
    grow: int = 0

    def __post_init__(self) -> None:
        require_probability("threshold", self.threshold)
        require_not_negative(min_size=self.min_size, grow=self.grow)
        require_connectivity(self.connectivity)

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Give the objects of an image numbers from 1, in reading order; 0 is the background."""
        foreground = 1 - probabilities[0].detach().cpu().float()
        mask = (foreground > self.threshold).numpy()
        if self.fill_holes:
            mask = filled(mask, self.connectivity)
        labels = without_small(labelled(mask, self.connectivity), self.min_size)
        return torch.from_numpy(without_gaps(labels, self.grow))
