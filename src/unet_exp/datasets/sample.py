"""What every dataset hands out: an image and, where somebody drew them, its labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Float32, Int32, UInt8

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Sample:
    """One image with its labels.

    Attributes
    ----------
    name
        Unique within its dataset, and fit to be a file name.
    image
        Normalised grey values, channels first.
    labels
        Instances: 0 background, 1 and up the instances, -1 unknown (nobody looked there, so
        such pixels have weight 0 and are left out of scores). None where nothing is annotated.
    classes
        Class of every pixel (255 unknown), only for data labelled with classes. Without it the
        classes are ``labels > 0``.
    path
        The file that the image came from; None when it was made up.
    markers
        Instances marked by some of their pixels, for scores of detection: 0 background, 1 and up
        the instances, of any numbering, -1 unknown. None where ``labels`` are all there is.

    >>> Sample("cell", np.zeros((1, 4, 6), np.float32)).labels is None
    True
    """

    name: str
    image: Float32[np.ndarray, "c h w"]
    labels: Int32[np.ndarray, "h w"] | None = None
    classes: UInt8[np.ndarray, "h w"] | None = None
    path: Path | None = None
    markers: Int32[np.ndarray, "h w"] | None = None


class Dataset(Protocol):
    """What training, evaluation and pictures ask of a dataset; every image is read once."""

    name: str
    in_channels: int
    num_classes: int

    def split(self, name: str) -> Sequence[Sample]:
        """Return the samples of "train", "validation" or "test"."""
        ...


def check_split(name: str) -> None:
    """Refuse a name that is no split.

    >>> check_split("valid")
    Traceback (most recent call last):
    ValueError: There is no split 'valid'. Name one of train, validation, test.
    """
    if name not in SPLITS:
        raise ValueError(f"There is no split {name!r}. Name one of {', '.join(SPLITS)}.")
