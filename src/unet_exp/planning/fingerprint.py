"""Measure the objects in labelled images: sizes, contacts, foreground, brightness."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int, Shaped

from unet_exp.datasets.sample import Sample
from unet_exp.images.resampling import resized_length
from unet_exp.targets.separation import near_another

MOST_IMAGES = 200
"""Largest number of images that are measured; if there are more, evenly spaced ones."""
MOST_PIXELS = 2**26
"""Largest number of pixels that are measured, which takes about two seconds."""
WINDOW = 4096
"""Largest side that is measured; of larger images, only the middle."""
FAR = 3.0
"""A pixel is an outlier if it exceeds the 99.8th percentile by more than this number of distances
between the 1st and the 99.8th percentile."""


@dataclass(frozen=True)
class Fingerprint:
    """The facts about a training set from which a plan follows.

    Attributes
    ----------
    images, channels
        Number of labelled images, and of their channels.
    sides
        Shortest and longest side of all images, in pixels.
    pixels
        Pixels of all images together.
    objects
        Number of objects in all images; estimated if not all images were measured.
    diameters
        Diameters of discs as large as the objects, in pixels: the 5th percentile, the median and
        the 95th percentile. Zeros if there is no object.
    smallest
        Pixels of the smallest object.
    touching
        Fraction of the objects that touch another one, also at a corner.
    foreground
        Fraction of the known pixels that belong to objects.
    outliers
        Fraction of the images with a pixel far brighter than all others (see ``FAR``).
    by_class
        Whether the labels are classes, so that objects are not separate.
    """

    images: int
    channels: int
    sides: tuple[int, int]
    pixels: int
    objects: int
    diameters: tuple[float, float, float]
    smallest: int
    touching: float
    foreground: float
    outliers: float = 0.0
    by_class: bool = False

    def resized(self, scale: float) -> "Fingerprint":
        """Return the facts about the same images after they are enlarged by a factor."""
        short, long = (resized_length(side, scale) for side in self.sides)
        low, median, high = (value * scale for value in self.diameters)
        return replace(
            self,
            sides=(short, long),
            pixels=round(self.pixels * scale**2),
            diameters=(low, median, high),
            smallest=round(self.smallest * scale**2),
        )


@lru_cache(maxsize=1)
def fingerprint(samples: tuple[Sample, ...]) -> Fingerprint:
    """Measure one or more labelled samples. The result is cached for the same samples.

    >>> labels = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [0, 0, 0, 0]], np.int32)
    >>> found = fingerprint((Sample("a", np.zeros((1, 3, 4), np.float32), labels),))
    >>> found.objects, found.smallest, found.touching, round(found.foreground, 2)
    (2, 4, 1.0, 0.67)
    """
    sides = [side for sample in samples for side in sample.image.shape[-2:]]
    chosen = evenly(samples)
    areas: list[Int[np.ndarray, " objects"]] = []
    touching = known = outliers = 0
    for sample in chosen:
        labels = middle(np.asarray(sample.labels))
        areas.append(object_sizes(labels))
        touching += int(np.count_nonzero(np.bincount(labels[near_another(labels, 1)])))
        known += int(np.count_nonzero(labels >= 0))
        outliers += has_outlier(middle(np.asarray(sample.image)))
    sizes = np.concatenate(areas)
    diameters = np.quantile(diameter(sizes), (0.05, 0.5, 0.95)) if len(sizes) else np.zeros(3)
    low, median, high = map(float, diameters)
    return Fingerprint(
        images=len(samples),
        channels=samples[0].image.shape[0],
        sides=(min(sides), max(sides)),
        pixels=sum(int(np.prod(sample.image.shape[-2:])) for sample in samples),
        objects=round(len(sizes) * len(samples) / len(chosen)),
        diameters=(low, median, high),
        smallest=int(sizes.min()) if len(sizes) else 0,
        touching=touching / max(1, len(sizes)),
        foreground=float(sizes.sum()) / max(1, known),
        outliers=outliers / len(chosen),
        by_class=samples[0].classes is not None,
    )


def evenly(samples: Sequence[Sample]) -> list[Sample]:
    """Return evenly spaced samples, as many as are measured."""
    sizes = [min(h, WINDOW) * min(w, WINDOW) for h, w in (s.image.shape[-2:] for s in samples)]
    affordable = int(MOST_PIXELS * len(sizes) / sum(sizes))
    count = max(1, min(len(samples), MOST_IMAGES, affordable))
    return [samples[index * len(samples) // count] for index in range(count)]


def middle(array: Shaped[np.ndarray, "*c h w"]) -> Shaped[np.ndarray, "*c _ _"]:
    """Return the middle of an image or of labels: at most ``WINDOW`` rows and columns."""
    top, left = (max(0, (side - WINDOW) // 2) for side in array.shape[-2:])
    return array[..., top : top + WINDOW, left : left + WINDOW]


def object_sizes(labels: Int[np.ndarray, "h w"]) -> Int[np.ndarray, " objects"]:
    """Return the number of pixels of each object."""
    counts = np.bincount(labels[labels > 0])
    return counts[counts > 0]


def diameter(areas: Int[np.ndarray, " objects"]) -> Float[np.ndarray, " objects"]:
    """Return the diameters of discs with these areas.

    >>> diameter(np.array([1, 314])).round(1).tolist()
    [1.1, 20.0]
    """
    return 2 * np.sqrt(areas / np.pi)


def has_outlier(image: Float[np.ndarray, "c h w"]) -> bool:
    """Tell whether a channel has a pixel far brighter than all others.

    >>> ramp = np.arange(1024, dtype=np.float32).reshape(1, 32, 32)
    >>> has_outlier(ramp), has_outlier(np.where(ramp < 1023, ramp, 65535))
    (False, True)
    """
    for channel in image:
        step = max(1, int(np.sqrt(channel.size / 2**14)))
        low, high = np.percentile(channel[::step, ::step], (1, 99.8))
        if channel.max() - high > FAR * (high - low) > 0:
            return True
    return False
