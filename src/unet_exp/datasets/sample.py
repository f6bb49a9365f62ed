"""The samples that every dataset returns: an image with its labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, UInt8

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Sample:
    """One image with its labels.

    Attributes
    ----------
    name
        Unique within the dataset, and usable as a file name.
    image
        Normalised grey values.
    labels
        Instances from 1; 0 is background, -1 unknown (weight 0, ignored by scores). None for an
        image without annotation.
    classes
        Class of every pixel (255 unknown) if the data are labelled with classes. Otherwise the
        classes are ``labels > 0``.
    path
        The image file; None for synthetic images.
    markers
        A mark inside each instance, for scores of detection: numbers from 1 in any order, 0
        background, -1 unknown. If None, ``labels`` are the markers.

    >>> Sample("cell", np.zeros((1, 4, 6), np.float32)).labels is None
    True
    """

    name: str
    image: Float32[np.ndarray, "c h w"]
    labels: Int32[np.ndarray, "h w"] | None = None
    classes: UInt8[np.ndarray, "h w"] | None = None
    path: Path | None = None
    markers: Int32[np.ndarray, "h w"] | None = None


def check_split(name: str) -> None:
    """Refuse an unknown split.

    >>> check_split("valid")
    Traceback (most recent call last):
    ValueError: There is no split 'valid'. Name one of train, validation, test.
    """
    if name not in SPLITS:
        raise ValueError(f"There is no split {name!r}. Name one of {', '.join(SPLITS)}.")


def require_channels(path: Path, channels: int, expected: int) -> None:
    """Refuse an image with another number of channels than the dataset.

    >>> require_channels(Path("a.png"), 3, 1)
    Traceback (most recent call last):
    ValueError: a.png has 3 channels, not 1. Set dataset.in_channels=3, or choose what is read ...
    """
    if channels != expected:
        raise ValueError(
            f"{path} has {channels} channels, not {expected}. Set dataset.in_channels={channels}, "
            "or choose what is read of all images: dataset.channels=rgb, luminance or numbers from "
            "0, such as [0,2]."
        )


def require_size(
    path: Path, size: tuple[int, ...], label_path: Path, label_size: tuple[int, ...]
) -> None:
    """Refuse labels of another size than their image.

    >>> require_size(Path("a.png"), (9, 8), Path("b.png"), (9, 7))
    Traceback (most recent call last):
    ValueError: a.png is 9 x 8 pixels, b.png 9 x 7. Labels must be as large as their image: ...
    """
    if size != label_size:
        raise ValueError(
            f"{path} is {' x '.join(map(str, size))} pixels, {label_path} "
            f"{' x '.join(map(str, label_size))}. Labels must be as large as their "
            "image: copy or unzip both again."
        )
