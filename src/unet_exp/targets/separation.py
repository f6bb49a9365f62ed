"""The separation border between touching cells, by morphology (arXiv:1505.04597, section 3)."""

import cv2
import numpy as np
from jaxtyping import Bool, Int


def separate(labels: Int[np.ndarray, "h w"], width: int = 1) -> Int[np.ndarray, "h w"]:
    """Labels with at least ``width`` pixels of background between instances.

    A pixel becomes background if another instance is within ``width`` pixels of it, also
    diagonally. So two touching instances both lose pixels, and are then 2 ``width`` apart. An
    instance that would vanish keeps all its pixels, and only its neighbours lose pixels. Labels of
    0 (background) and -1 (unknown) do not change. Separating again has no effect.

    >>> separate(np.array([[1, 1, 1, 2, 2, 2, 0, 3, -1]]))
    array([[ 1,  1,  0,  0,  2,  2,  0,  3, -1]])
    """
    if width < 1:
        raise ValueError(f"width = {width}, but a border has at least 1 pixel. Raise `width`.")
    while True:
        touching = near_another(labels, width)
        separated = labels.copy()
        separated[touching] = 0
        at_stake = np.unique(labels[touching])
        vanished = at_stake[~np.isin(at_stake, separated)]
        if not vanished.size:
            return separated
        # Two instances that would both vanish still touch, but others now leave them more room.
        separated = np.where(np.isin(labels, vanished), labels, separated)
        if np.array_equal(separated, labels):
            return separated
        labels = separated


def near_another(labels: Int[np.ndarray, "h w"], width: int) -> Bool[np.ndarray, "h w"]:
    """Pixels of instances that have a pixel of another one within ``width`` rows and columns.

    >>> near_another(np.array([[1, 1, 2, 0, 3]]), 1)
    array([[False,  True,  True, False, False]])
    """
    # OpenCV's filters do not support int32. float32 represents every integer up to 2**24.
    exact = np.float32 if labels.max(initial=0) < 2**24 else np.float64
    instances = labels.astype(exact)
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    near = cv2.dilate(instances, kernel) != instances
    instances[labels <= 0] = np.inf
    near |= cv2.erode(instances, kernel) != instances
    near &= labels > 0
    return near
