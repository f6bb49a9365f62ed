"""Classes, and vectors that lead to the object's centre (Cellpose, doi:10.1038/s41592-020-01018-x).

The vectors come from `unet_exp.postprocessing.flow_field`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from unet_exp.losses.classes_and_flows import SCALE
from unet_exp.postprocessing.flow_field import flow_field
from unet_exp.ranges import require_range
from unet_exp.targets.target import Encoded, pixel_classes
from unet_exp.weight_maps.class_weights import UNKNOWN


@dataclass(frozen=True)
class Flows:
    """The class of each pixel, and the direction from it to the centre of its object.

    The evidence holds the probabilities of the classes, and then the vectors that
    `unet_exp.postprocessing.flows` follows: how far down and how far right. They are no longer than
    1.

    Parameters
    ----------
    num_classes
        Classes of the data set, background included.

    >>> classes, down, right = Flows().encode(np.array([[0, 1, 1, 1, 2, 2, 2, -1]])).target
    >>> right
    array([[ 0.,  1.,  0., -1.,  1.,  0., -1., nan]], dtype=float32)
    """

    num_classes: int = 2

    losses = ("classes_and_flows",)
    maps = ("flow down", "flow right")
    gap = 0
    height = None
    smoothing = 2.0
    seed_threshold = 0.8

    def __post_init__(self) -> None:
        require_range(2, **{"target.num_classes": self.num_classes})

    @property
    def out_channels(self) -> int:
        """One for each class, and two for the vectors."""
        return self.num_classes + 2

    @property
    def flow(self) -> int:
        """The first channel of the vectors in the evidence."""
        return self.num_classes

    def encode(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
    ) -> Encoded:
        """Return the class of each pixel and the unit vectors, (3, h, w); NaN where unknown."""
        classes = pixel_classes(labels, classes)
        target = np.concatenate([classes[None].astype(np.float32), flow_field(labels)])
        target[:, classes == UNKNOWN] = np.nan
        return Encoded(target, labels, classes)

    def evidence(self, output: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """Return the probability of each class, and the vectors."""
        classes, flow = output.float().split([self.num_classes, 2], 1)
        flow = flow / SCALE
        length = torch.linalg.vector_norm(flow, dim=1, keepdim=True)
        return torch.cat([classes.softmax(1), flow / length.clamp(min=1)], 1)

    def turned(
        self, values: Float32[np.ndarray, "k h w"], matrix: Float[np.ndarray, "2 2 *grid"]
    ) -> Float32[np.ndarray, "k h w"]:
        """Turn the vectors, the last two channels, and keep their lengths."""
        flow, grid = values[-2:], matrix.shape[2:] or (1, 1)
        new = np.einsum("ijhw,jhw->ihw", matrix.reshape(2, 2, *grid), flow)
        length = np.hypot(*new)
        new *= np.hypot(*flow) / np.where(length > 0, length, 1)
        return np.concatenate([values[:-2], new.astype(np.float32)])
