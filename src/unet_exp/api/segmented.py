"""The results of a segmenter for an array."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped, UInt8, UInt32

from unet_exp.images.scaling import Scaled
from unet_exp.inference.predictor import Predictor
from unet_exp.prediction.segment import Page, write_instances


@dataclass(frozen=True)
class Segmented:
    """The results for an array. If it has axes of pages, they come first.

    Attributes
    ----------
    instances
        uint32 (h, w), numbered from 1 on each page; 0 is the background.
    probabilities
        float32 (h, w) for the foreground; with k > 2 classes (k, h, w) for each class, background
        first.
    classes
        uint8 (h, w), the most probable class; None if there are two classes.
    pages
        Each page with the network's prediction.
    """

    instances: UInt32[np.ndarray, "*pages h w"]
    probabilities: Float32[np.ndarray, "*pages h w"] | Float32[np.ndarray, "*pages k h w"]
    classes: UInt8[np.ndarray, "*pages h w"] | None
    pages: Sequence[tuple[Scaled, Page]] = field(default=(), repr=False)

    @classmethod
    def joined(
        cls, pages: Sequence[tuple[Scaled, Page]], instances: Sequence[Any], shape: tuple[int, ...]
    ) -> "Segmented":
        """Join pages along axes of this shape."""
        probabilities = stacked([page.probabilities for _, page in pages], shape)
        classes = None
        if pages[0][1].classes is not None:
            classes = stacked([page.classes for _, page in pages], shape)
        # The pages refer to the joined probabilities, so that these are in memory only once.
        kept = [
            (image, replace(page, probabilities=probabilities[index]))
            for (image, page), index in zip(pages, np.ndindex(shape), strict=True)
        ]
        return cls(stacked(instances, shape), probabilities, classes, kept)

    def instances_by(self, predictor: Predictor) -> UInt32[np.ndarray, "*pages h w"]:
        """Return the instances with the postprocessing of a predictor. No network is run."""
        found = np.zeros((len(self.pages), *self.instances.shape[-2:]), np.uint32)
        for labels, (image, page) in zip(found, self.pages, strict=True):
            write_instances(page, image, predictor, labels)
        return found.reshape(self.instances.shape)


def stacked(pages: Sequence[Any], shape: tuple[int, ...]) -> Shaped[np.ndarray, "..."]:
    """Join the results of pages along axes of this shape; for a single page, the shape is empty.

    >>> stacked([np.ones((2, 3))], ()).shape, stacked([np.ones((2, 3))] * 4, (4,)).shape
    ((2, 3), (4, 2, 3))
    """
    return np.reshape(pages, (*shape, *np.shape(pages[0])))
