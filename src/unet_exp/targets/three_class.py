"""Background, inside and border of each object (doi:10.1002/cyto.a.23863)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from unet_exp.ranges import require_range
from unet_exp.targets.distances import diameters, largest_in_objects, to_other_object, to_own_border
from unet_exp.targets.target import Encoded, pixel_classes
from unet_exp.weight_maps.class_weights import UNKNOWN

#: Objects of this diameter in pixels, or a larger one, have a border of 2 pixels; others of 1.
LARGE = 20


@dataclass(frozen=True)
class ThreeClass:
    """Background, inside and border of each object; a border belongs to its object.

    The evidence holds the probabilities of the classes, followed by that of the inside as the
    height that the watershed divides. Touching objects are separated along their borders, without
    losing pixels. An object that is too small to have an inside has no border.

    Parameters
    ----------
    num_classes
        Classes of the data set, background included. Each class has an inside and a border.
    width
        Width of the border in pixels. ``None`` means 2 in objects with a diameter of 20 pixels or
        more, and 1 in others.

    >>> encoded = ThreeClass().encode(np.array([[0, 1, 1, 1, 2, 2, 2, 0, -1]]))
    >>> encoded.target
    array([[ 0,  2,  1,  2,  2,  1,  2,  0, -1]], dtype=int16)
    """

    num_classes: int = 2
    width: int | None = None

    losses = "weighted_cross_entropy", "dice", "weighted_sum"
    maps = ("height",)
    gap = 0
    smoothing = 1.0
    seed_threshold = 0.5

    def __post_init__(self) -> None:
        require_range(2, **{"target.num_classes": self.num_classes})
        if self.width is not None:
            require_range(1, **{"target.width": self.width})

    @property
    def out_channels(self) -> int:
        """The background, the inside of each class, and the border of each class."""
        return 2 * self.num_classes - 1

    @property
    def height(self) -> int:
        """The channel of the evidence after the classes: the probability of the inside."""
        return self.num_classes

    def encode(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
    ) -> Encoded:
        """Return 0 for background, k for the inside of class k, k + num_classes - 1 for its border.

        -1 is unknown.
        """
        classes = pixel_classes(labels, classes)
        target = classes.astype(np.int16)
        target[self.border(labels) & (classes > 0)] += self.num_classes - 1
        target[classes == UNKNOWN] = -1
        return Encoded(target, labels, classes)

    def border(self, labels: Int[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
        """Return the borders of the objects that have an inside."""
        width = np.where(diameters(labels) < LARGE, 1, 2) if self.width is None else self.width
        distance = to_own_border(labels, to_other_object(labels, float(np.max(width))))
        return (labels > 0) & (distance <= width) & (largest_in_objects(distance, labels) > width)

    def evidence(self, output: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """Return the probability of each class, inside and border together, and the height."""
        background, insides, borders = (
            output.float().softmax(1).split([1, self.num_classes - 1, self.num_classes - 1], 1)
        )
        return torch.cat([background, insides + borders, insides.sum(1, keepdim=True)], 1)
