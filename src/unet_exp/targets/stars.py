"""Classes, and a star polygon for each pixel of an object (StarDist, arXiv:1806.03535)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from unet_exp.ranges import require_range
from unet_exp.targets.distances import largest_in_objects, to_other_object, to_own_border
from unet_exp.targets.rays import ray_distances, turned_rays
from unet_exp.targets.target import Encoded, pixel_classes
from unet_exp.weight_maps.class_weights import UNKNOWN


@dataclass(frozen=True)
class StarPolygons:
    """The class of each pixel, how central it is in its object, and the object's outline from it.

    For a pixel of an object, the network learns

    - the score: the distance to the nearest pixel outside of the object, divided by the largest
      one in the object,
    - for each of ``rays`` directions, the distance in pixels to the border of the object.

    Both are 0 in the background. The classes are an addition to the article: scores of pixels need
    them. The evidence holds the probabilities of the classes, the score, and the distances;
    `unet_exp.postprocessing.stars` makes objects of the last two.

    Parameters
    ----------
    num_classes
        Classes of the data set, background included.
    rays
        Directions, a multiple of 4: the first points to the right, the next ones turn clockwise.

    >>> _, score, right, down, left, up = StarPolygons(rays=4).encode(
    ...     np.array([[0, 1, 1, 1, 1, 1, 0, -1]])
    ... ).target
    >>> right
    array([[0. , 4.5, 3.5, 2.5, 1.5, 0.5, 0. , nan]], dtype=float32)
    """

    num_classes: int = 2
    rays: int = 32

    losses = ("classes_and_stars",)
    gap = 0
    smoothing = 1.0
    seed_threshold = 0.3

    def __post_init__(self) -> None:
        require_range(2, **{"target.num_classes": self.num_classes})
        if self.rays < 4 or self.rays % 4:
            raise ValueError(
                f"target.rays={self.rays} is no multiple of 4, so an image that is turned by a "
                f"quarter would have other rays. Give {max(4, -(-self.rays // 4) * 4)}."
            )

    @property
    def out_channels(self) -> int:
        """One for each class, one for the score, and one for each ray."""
        return self.num_classes + 1 + self.rays

    @property
    def maps(self) -> tuple[str, ...]:
        """The score, and the distances; of these, pictures show four."""
        names = [""] * self.rays
        names[:: self.rays // 4] = ["pixels right", "pixels down", "pixels left", "pixels up"]
        return "score", *names

    @property
    def score(self) -> int:
        """The channel of the score in the evidence, after the classes."""
        return self.num_classes

    height = score

    def encode(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
    ) -> Encoded:
        """Return class, score and distances, (2 + rays, h, w); NaN where unknown."""
        classes = pixel_classes(labels, classes)
        distances = ray_distances(labels, self.rays)
        # No object is thicker than its rays are long.
        reach = float(distances.max(initial=0)) + 1
        own = to_own_border(labels, to_other_object(labels, reach))
        score = own / largest_in_objects(own, labels)
        target = np.concatenate([np.stack([classes.astype(np.float32), score]), distances])
        target[:, classes == UNKNOWN] = np.nan
        return Encoded(target, labels, classes)

    def evidence(self, output: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """Return the probability of each class, the score from 0 to 1, and distances from 0."""
        classes, score, distances = output.float().split([self.num_classes, 1, self.rays], 1)
        return torch.cat([classes.softmax(1), score.sigmoid(), distances.clip(min=0)], 1)

    def turned(
        self, values: Float32[np.ndarray, "k h w"], matrix: Float[np.ndarray, "2 2 *grid"]
    ) -> Float32[np.ndarray, "k h w"]:
        """Turn and scale the rays, the last channels."""
        others, distances = values[: -self.rays], values[-self.rays :]
        return np.concatenate([others, turned_rays(distances, matrix)])
