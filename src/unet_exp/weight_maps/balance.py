"""w_c of equation 2 (arXiv:1505.04597): pixel weights that balance the frequencies of classes."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from unet_exp.targets.foreground import UNKNOWN


def balance(classes: UInt8[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Weights with the same sum for each class that occurs, and the mean 1 over known pixels.

    Unknown pixels (255) weigh 0 and count for no class.

    >>> balance(np.array([[0, 0, 0, 1, 255]], np.uint8))
    array([[0.6666667, 0.6666667, 0.6666667, 2.       , 0.       ]], dtype=float32)
    """
    counts = np.bincount(classes.reshape(-1), minlength=UNKNOWN + 1)
    counts[UNKNOWN] = 0
    present = counts > 0
    weights = np.zeros(UNKNOWN + 1, np.float32)
    weights[present] = counts.sum() / (present.sum() * counts[present])
    return cv2.LUT(classes, weights)
