"""Instances and classes of an annotation, as training sees them (arXiv:1505.04597, section 3)."""

import numpy as np
from jaxtyping import Int, Int16, Int32, UInt8
from scipy import ndimage

from unet_exp.targets.separation import separate

#: The class of pixels that nobody annotated.
UNKNOWN = 255


def annotation(
    labels: Int[np.ndarray, "h w"] | None,
    classes: UInt8[np.ndarray, "h w"] | None = None,
    separation: bool = True,
) -> tuple[Int[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
    """Labels and classes from whichever of both a data set has.

    Labels are 0 for background, -1 for unknown, and one number for each instance; without
    classes, all instances are of class 1. Classes are 0 for background and 255 for unknown;
    without labels, the connected regions of each class are the instances. With ``separation``
    a border of class 0 is made between instances that touch; but where classes were drawn, the
    border between two of them is what the annotator drew.

    >>> annotation(np.array([[1, 1, 2, 2, -1]]))
    (array([[ 1,  0,  0,  2, -1]]), array([[  1,   0,   0,   1, 255]], dtype=uint8))
    """
    if labels is None:
        if classes is None:
            raise ValueError("There is no annotation. Pass labels, classes or both.")
        return regions(classes), classes
    if classes is None:
        apart = separate(labels) if separation else labels
        return apart, (apart > 0) + (apart < 0) * np.uint8(UNKNOWN)
    return labels, np.where(labels < 0, np.uint8(UNKNOWN), classes)


def training_target(
    labels: Int[np.ndarray, "h w"] | None,
    classes: UInt8[np.ndarray, "h w"] | None = None,
    separation: bool = True,
) -> Int16[np.ndarray, "h w"]:
    """Class of each pixel as the network is to see it, from an `annotation`; -1 where unknown.

    >>> training_target(np.array([[1, 1, 2, 2, -1]]))
    array([[ 1,  0,  0,  1, -1]], dtype=int16)
    """
    _, classes = annotation(labels, classes, separation)
    target = classes.astype(np.int16)
    target[classes == UNKNOWN] = -1
    return target


def regions(classes: UInt8[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Labels of the 4-connected regions of each class but 0; -1 where unknown (255).

    >>> regions(np.array([[1, 1, 2, 0, 1, 255]], np.uint8))
    array([[ 1,  1,  3,  0,  2, -1]], dtype=int32)
    """
    labels = np.where(classes == UNKNOWN, np.int32(-1), np.int32(0))
    found = 0
    for number in np.flatnonzero(np.bincount(classes.reshape(-1), minlength=1)[1:UNKNOWN]) + 1:
        inside = classes == number
        numbered = np.zeros(classes.shape, np.int32)
        ndimage.label(inside, output=numbered)
        labels[inside] = numbered[inside] + found
        found += numbered.max()
    return labels
