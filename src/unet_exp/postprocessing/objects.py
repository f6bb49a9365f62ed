"""Operations on masks and instances: fill holes, remove small objects, close narrow gaps.

The morphology is that of Soille, Morphological Image Analysis (doi:10.1007/978-3-662-05088-0). No
step loops over objects, so the time only grows with the number of pixels.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32

from unet_exp.connectivity import edge_labels, label_components

#: Pixels of an array that the processor's cache holds together with their neighbours and sums.
CACHED = 2**16


def filled(mask: Bool[np.ndarray, "h w"], connectivity: int = 1) -> Bool[np.ndarray, "h w"]:
    """Fill holes: background that is not connected to the edge of the image.

    >>> filled(np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]).astype(bool)).all()
    np.True_
    """
    around = label_components(~mask, 3 - connectivity)
    outside = np.zeros(around.max() + 1, bool)
    outside[edge_labels(around)] = True
    outside[0] = False
    return ~outside[around]


def without_small(labels: Int32[np.ndarray, "h w"], min_size: int) -> Int32[np.ndarray, "h w"]:
    """Remove objects of fewer than ``min_size`` pixels and renumber the others from 1.

    >>> without_small(np.array([[1, 0, 2, 2]], np.int32), 2)
    array([[0, 0, 1, 1]], dtype=int32)
    """
    keep = np.bincount(labels.ravel()) >= max(min_size, 1)
    if keep[1:].all():
        return labels
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0).astype(np.int32)[labels]


def smoothed(
    values: Float32[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"], std: float
) -> Float32[np.ndarray, "h w"]:
    """Smooth values within a mask; outside they become 0.

    Repeated means of a pixel and its neighbours in the mask approximate a Gaussian with standard
    deviation ``std``. A connected part of the mask does not depend on pixels outside it.

    >>> smoothed(np.float32([[0, 3, 9, 1]]), np.array([[1, 1, 0, 1]]).astype(bool), 0.64)
    array([[1.5, 1.5, 0. , 1. ]], dtype=float32)
    """
    inside = np.pad(mask, 1).astype(np.float32, order="C")
    share = inside / np.maximum(add_crosses(inside, np.zeros_like(inside)), 1)
    padded = np.pad(np.ascontiguousarray(np.where(mask, values, np.float32(0))), 1)
    other = np.zeros_like(padded)
    # A mean of five pixels has a variance of 2/5 along rows and along columns.
    for _ in range(round(std**2 * 5 / 2)):
        padded, other = add_crosses(padded, other), padded
        padded *= share
    return padded[1:-1, 1:-1].copy()


def add_crosses(
    padded: Float32[np.ndarray, "H W"], out: Float32[np.ndarray, "H W"]
) -> Float32[np.ndarray, "H W"]:
    """Add up each pixel and its four neighbours. The results at the edges have no meaning.

    The order of additions is always the same, so blocks of an image give the same as the whole.

    >>> padded = np.zeros((3, 4), np.float32)
    >>> padded[1, 1:3] = 2, 5
    >>> add_crosses(padded, np.zeros_like(padded))[1, 1:3]
    array([7., 7.], dtype=float32)
    """
    values, sums, width = padded.reshape(-1), out.reshape(-1), padded.shape[1]
    # Flat parts that the processor's cache holds take half of the time of whole rows and columns.
    for start in range(width, values.size - width, CACHED):
        stop = min(start + CACHED, values.size - width)
        part = np.add(values[start:stop], values[start - width : stop - width], sums[start:stop])
        for step in (width, -1, 1):
            part += values[start + step : stop + step]
    return out


def distance_to(mask: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Distance in pixels to the nearest pixel of the mask, with an error up to 2 %; 0 inside."""
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)


def without_gaps(labels: Int32[np.ndarray, "h w"], reach: int) -> Int32[np.ndarray, "h w"]:
    """Assign gaps of at most ``2 * reach`` pixels between two objects to the nearer one.

    For training, touching objects are separated by a border, ``reach`` pixels on each side. This
    function undoes the separation. Holes and bays of a single object stay, and so do outlines
    towards open background.

    >>> without_gaps(np.array([[1, 1, 0, 0, 2, 2, 0, 0, 0, 0, 0]], np.int32), 1)
    array([[1, 1, 1, 2, 2, 2, 0, 0, 0, 0, 0]], dtype=int32)
    """
    mask = labels > 0
    if reach < 1 or not mask.any():
        return labels
    # Closing with a square does not extend to places where the gap opens into the background.
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, square) > 0
    gap = closed & between_objects(labels, reach) & ~mask
    _, nearest = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    # Every pixel of the mask has its own index there. This maps the index to the object's number.
    nearest = nearest.astype(np.intp)
    owner = np.zeros(nearest.max() + 1, np.int32)
    owner[nearest[mask]] = labels[mask]
    grown = labels.copy()
    grown[gap] = owner[nearest[gap]]
    return grown


def between_objects(labels: Int32[np.ndarray, "h w"], reach: int) -> Bool[np.ndarray, "h w"]:
    """Pixels whose distances to two different objects add up to at most ``2 * reach + 1``.

    A distance is the number of rows or of columns, whichever is larger. A gap of n pixels has the
    sum n + 1.

    >>> between_objects(np.array([[1, 0, 0, 0, 2]], np.int32), reach=1).any()
    np.False_
    """
    # OpenCV's filters do not support int32. float32 represents every integer up to 2**24.
    highest = labels.astype(np.float32 if labels.max(initial=0) < 2**24 else np.float64)
    lowest = np.where(labels > 0, highest, highest.dtype.type(np.inf))
    square, between, within = np.ones((3, 3), np.uint8), np.zeros(labels.shape, bool), []
    for distance in range(1, 2 * reach + 1):
        highest, lowest = cv2.dilate(highest, square), cv2.erode(lowest, square)
        if distance <= reach:
            within.append(highest > 0)
        else:
            between |= (lowest < highest) & within[2 * reach - distance]
    return between
