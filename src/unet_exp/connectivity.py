"""Connected components of masks: Rosenfeld 1966 (doi:10.1145/321356.321357)."""

import cv2
import numpy as np
from jaxtyping import Bool, Int32, Int64


def label_components(
    mask: Bool[np.ndarray, "h w"], connectivity: int = 1
) -> Int32[np.ndarray, "h w"]:
    """Label the connected components from 1 in reading order; 0 is the background.

    ``connectivity`` 1 joins pixels that share a side, 2 also those that share a corner.

    >>> label_components(np.array([[True, False], [False, True]]), connectivity=2)
    array([[1, 0], [0, 1]], dtype=int32)
    """
    require_connectivity(connectivity)
    neighbours = 4 if connectivity == 1 else 8
    labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=neighbours)[1]
    labels = labels.astype(np.int32, copy=False)
    if connectivity == 1:
        return labels
    return ordered(labels)  # OpenCV numbers them in the order of squares of 2 x 2 pixels


def require_connectivity(connectivity: int) -> None:
    """Raise ``ValueError`` unless ``connectivity`` is 1 or 2."""
    if connectivity not in (1, 2):
        raise ValueError(
            f"connectivity={connectivity} is neither 1 (pixels that share a side) nor 2 (or a "
            f"corner). Choose one of them."
        )


def ordered(labels: Int32[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Renumber objects in the reading order of their first pixels.

    >>> ordered(np.array([[0, 2, 2], [1, 1, 2]], np.int32))
    array([[0, 1, 1],
           [2, 2, 1]], dtype=int32)
    """
    number = np.zeros(labels.max(initial=0) + 1, np.int32)
    number[np.argsort(first_pixels(labels)) + 1] = np.arange(1, len(number))
    return number[labels]


def edge_labels(labels: Int32[np.ndarray, "h w"]) -> Int32[np.ndarray, " pixels"]:
    """Return the labels of the pixels at the edges of an image."""
    return np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])


def first_pixels(labels: Int32[np.ndarray, "h w"]) -> Int64[np.ndarray, " objects"]:
    """Return the flat index of each object's first pixel, in the order of the labels.

    >>> first_pixels(np.array([[0, 2, 2], [1, 1, 2]], np.int32))
    array([3, 1])
    """
    flat = labels.ravel()
    runs = np.flatnonzero((flat > 0) & (flat != np.concatenate([[0], flat[:-1]])))
    first = np.zeros(flat.max(initial=0) + 1, np.int64)
    first[flat[runs[::-1]]] = runs[::-1]  # the first run of an object is written last
    return first[1:]
