"""Distances inside objects: to the border of the object, and to the nearest other object."""

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int

from unet_exp.weight_maps.two_nearest import two_nearest


def to_own_border(
    labels: Int[np.ndarray, "h w"], to_other: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """Distance in pixels from each pixel of an object to the nearest pixel outside of the object.

    It is 0 outside of objects. The edge of the image is no border. ``to_other`` comes from
    `to_other_object`.

    >>> labels = np.array([[1, 1, 1, 0, 2, 2, 3, 3]])
    >>> to_own_border(labels, to_other_object(labels, 3))
    array([[3., 2., 1., 0., 1., 1., 1., 2.]], dtype=float32)
    """
    inside = (labels > 0).astype(np.uint8)
    to_background = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.minimum(to_background, np.where(labels > 0, to_other, 0))


def to_other_object(labels: Int[np.ndarray, "h w"], reach: float) -> Float32[np.ndarray, "h w"]:
    """Distance in pixels to the nearest other object, for the pixels of objects.

    It is exact up to ``reach``; a larger distance may be infinite.

    >>> to_other_object(np.array([[1, 1, 0, 2]]), 5)[0, [0, 1, 3]]
    array([3., 2., 2.], dtype=float32)
    """
    return two_nearest(labels, reach + 1)[1]


def largest_in_objects(
    values: Float32[np.ndarray, "h w"], labels: Int[np.ndarray, "h w"]
) -> Float32[np.ndarray, "h w"]:
    """Return for each pixel the largest value in its object; 1 outside of objects.

    >>> largest_in_objects(np.array([[1, 3, 2, 5]], np.float32), np.array([[7, 7, 0, 4]]))
    array([[3., 3., 1., 5.]], dtype=float32)
    """
    index, numbers = indexed(labels)
    largest = np.zeros(numbers, np.float32)
    np.maximum.at(largest, index, values)
    return np.where(labels > 0, largest[index], np.float32(1))


def diameters(labels: Int[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Return for each pixel the diameter of a disk with the area of its object.

    >>> diameters(np.array([[3, 3, 3, 8]])).round(2)
    array([[1.95, 1.95, 1.95, 1.13]])
    """
    index, _ = indexed(labels)
    return np.sqrt(4 / np.pi * np.bincount(index.ravel()))[index]


def indexed(labels: Int[np.ndarray, "h w"]) -> tuple[Int[np.ndarray, "h w"], int]:
    """Return labels that can index an array (0 for labels up to 0), and the length of the array.

    >>> indexed(np.array([[-1, 0, 10**9, 7]]))
    (array([[0, 0, 2, 1]]), 3)
    """
    index = np.maximum(labels, 0)
    highest = int(index.max(initial=0))
    if highest <= index.size:
        return index, highest + 1
    numbers, index = np.unique(index, return_inverse=True)
    return index.reshape(labels.shape), len(numbers)
