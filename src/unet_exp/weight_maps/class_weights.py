"""w_c of equation 2 (arXiv:1505.04597): pixel weights that balance the frequencies of classes."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

#: The class of pixels that nobody annotated.
UNKNOWN = 255


def class_weights(
    classes: UInt8[np.ndarray, "h w"], balanced: bool = True
) -> Float32[np.ndarray, "h w"]:
    """Return weights with the same sum for each class that occurs and the mean 1.

    Unknown pixels (255) weigh 0 and count for no class. Not ``balanced``: 1 for each known pixel.

    >>> class_weights(np.array([[0, 0, 0, 1, 255]], np.uint8))
    array([[0.6666667, 0.6666667, 0.6666667, 2.       , 0.       ]], dtype=float32)
    """
    if not balanced:
        return (classes != UNKNOWN).astype(np.float32)
    counts = np.bincount(classes.reshape(-1), minlength=UNKNOWN + 1)
    counts[UNKNOWN] = 0
    present = counts > 0
    weights = np.zeros(UNKNOWN + 1, np.float32)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return cv2.LUT(classes, weights)
