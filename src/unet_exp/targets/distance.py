"""Classes and two distances, as of team KIT-Sch-GE (doi:10.1371/journal.pone.0243219)."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from unet_exp.ranges import require_range
from unet_exp.targets.distances import largest_in_objects, to_other_object, to_own_border
from unet_exp.targets.target import Encoded, pixel_classes
from unet_exp.weight_maps.class_weights import UNKNOWN


@dataclass(frozen=True)
class Distance:
    """The class of each pixel, its distance to the object's border, and how close a neighbour is.

    For a pixel of an object, a is the distance to the nearest pixel outside of the object, r is
    the largest a of the object, and b is the distance to the nearest other object. The network
    learns

    - own = a / r,
    - neighbour = 1 / sqrt(0.65 + 0.5 exp(-11 (c - 0.75))) - 0.19, clipped to 0 to 1, with the
      closeness c = 1 - b / (r + 3), 0 if b is larger.

    Both are 0 in the background, but a closing with 3 x 3 pixels extends neighbour into narrow
    gaps. The evidence holds the probabilities of the classes, followed by own - neighbour^2 as the
    height that the watershed smooths and divides.

    Parameters
    ----------
    num_classes
        Classes of the data set, background included.

    >>> labels = np.array([[0, 1, 1, 1, 1, 1, 0, -1]])
    >>> classes, own, neighbour = Distance().encode(labels).target
    >>> [round(3 * float(a), 1) for a in own[0]]
    [0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0, nan]
    """

    num_classes: int = 2

    losses = ("classes_and_distances",)
    maps = ("height",)
    gap = 0
    smoothing = 1.0
    seed_threshold = 0.3

    def __post_init__(self) -> None:
        require_range(2, **{"target.num_classes": self.num_classes})

    @property
    def out_channels(self) -> int:
        """One for each class, and two distances."""
        return self.num_classes + 2

    @property
    def height(self) -> int:
        """The channel of the evidence after the classes."""
        return self.num_classes

    def encode(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
    ) -> Encoded:
        """Return the class of each pixel, own and neighbour, (3, h, w); NaN where unknown."""
        classes = pixel_classes(labels, classes)
        target = np.stack([classes.astype(np.float32), *own_and_neighbour(labels)])
        target[:, classes == UNKNOWN] = np.nan
        return Encoded(target, labels, classes)

    def evidence(self, output: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """Return the probability of each class, and the height, 0 to 1."""
        classes, distances = output.float().split([self.num_classes, 2], 1)
        own, neighbour = distances.clip(0, 1).split(1, 1)
        return torch.cat([classes.softmax(1), (own - neighbour**2).clip(min=0)], 1)


def own_and_neighbour(
    labels: Int[np.ndarray, "h w"],
) -> tuple[Float32[np.ndarray, "h w"], Float32[np.ndarray, "h w"]]:
    """Return both distances of `Distance`."""
    inside = labels > 0
    to_background = cv2.distanceTransform(
        inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    # No object is thicker than the foreground. Without any border, the size of the image is a
    # bound.
    reach = min(float(to_background.max(initial=0)), float(max(labels.shape))) + 3
    to_other = to_other_object(labels, reach)
    distance = to_own_border(labels, to_other)
    radius = largest_in_objects(distance, labels)
    closeness = np.where(inside, 1 - to_other / (radius + 3), 0).clip(0, 1)
    scaled = 1 / np.sqrt(0.65 + 0.5 * np.exp(-11 * (closeness - 0.75))) - 0.19
    neighbour = scaled.clip(0, 1).astype(np.float32)
    closed = cv2.morphologyEx(neighbour, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return distance / radius, closed
