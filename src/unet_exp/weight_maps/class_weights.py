"""Pixel weights that balance the classes: w_c of equation 2 (arXiv:1505.04597)."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

#: The class of pixels that nobody annotated.
UNKNOWN = 255


def class_weights(
    classes: UInt8[np.ndarray, "h w"],
    balanced: bool = True,
    frequencies: Sequence[float] | None = None,
) -> Float32[np.ndarray, "h w"]:
    """Return weights that are inverse to the frequency of each class.

    Over the images of the frequencies, each class that occurs has the same sum of weights, and the
    mean weight is 1. Unknown pixels (255) have the weight 0 and belong to no class.

    Parameters
    ----------
    balanced
        False means a weight of 1 for each known pixel.
    frequencies
        The fraction of each class in the training set, background first (see `class_frequencies`).
        None means the fractions in this image.

    >>> classes = np.array([[0, 0, 0, 1, 255]], np.uint8)
    >>> class_weights(classes)
    array([[0.6666667, 0.6666667, 0.6666667, 2.       , 0.       ]], dtype=float32)
    >>> class_weights(classes, frequencies=(0.5, 0.5))
    array([[1., 1., 1., 1., 0.]], dtype=float32)
    """
    if not balanced:
        return (classes != UNKNOWN).astype(np.float32)
    shares = np.array(class_frequencies([classes]) if frequencies is None else frequencies)
    present = np.flatnonzero(shares > 0)
    weights = np.zeros(UNKNOWN + 1, np.float32)
    weights[present] = 1 / (len(present) * shares[present])
    return cv2.LUT(classes, weights)


def class_frequencies(images: Iterable[UInt8[np.ndarray, "_ _"]]) -> list[float]:
    """Return the fraction of each class among the known pixels of all images together.

    >>> class_frequencies([np.array([[0, 0, 1, 255]], np.uint8), np.array([[0]], np.uint8)])
    [0.75, 0.25]
    """
    counts = np.zeros(UNKNOWN, np.int64)
    for classes in images:
        counts += np.bincount(classes.reshape(-1), minlength=UNKNOWN + 1)[:UNKNOWN]
    known = counts[: np.max(np.flatnonzero(counts), initial=0) + 1]
    return [float(count) for count in known / max(1, counts.sum())]
