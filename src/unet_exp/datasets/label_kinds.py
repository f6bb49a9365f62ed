"""What the numbers in a label image mean: instances, inside and outside, or classes."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Int32
from scipy import ndimage

KINDS = ("auto", "instances", "binary", "classes")
UNKNOWN = 255  # as a class
LOOKED_AT = 20  # images in which pieces are counted
Labels = Int32[np.ndarray, "_ _"]


def infer_kind(labels: Sequence[Labels]) -> str:
    """Tell what labels mean: "binary", "instances" or "classes".

    1. No values but 0 and 255, or 0 and 1: binary.
    2. Of the numbers in up to 20 images, spread evenly, at least 80 % form a single connected
       piece in their image, crumbs up to a tenth of the area aside: instances.
    3. Otherwise, if the numbers are 0, 1, ... without gaps up to at most 31: classes.

    Negative numbers mean "unknown" and do not count; nor does 255 in rule 3.

    Raises
    ------
    ValueError
        None of these; the message asks for `dataset.labels`.

    >>> infer_kind([np.array([[0, 255], [0, 0]], np.int32)])
    'binary'
    >>> infer_kind([np.array([[1, 1, 0, 2], [0, 0, 0, 2]], np.int32)])
    'instances'
    >>> infer_kind([np.array([[1, 2, 1, 2, 1]], np.int32)])
    'classes'
    """
    values = all_values(labels)
    if set(values) <= {0, 255} or set(values) <= {0, 1}:
        return "binary"
    pages = labels[:: -(-len(labels) // LOOKED_AT)]
    single = [whole for page in pages for whole in _single_pieces(page)]
    if np.mean(single) >= 0.8:
        return "instances"
    classes = [v for v in values if v != UNKNOWN]
    if len(classes) <= 32 and classes[-1] == len(set(classes) | {0}) - 1:
        return "classes"
    raise ValueError(
        f"labels of {len(values)} values from {values[0]} to {values[-1]}, of which only "
        f"{np.mean(single):.0%} form one piece in their image, look neither like instances nor "
        "like classes 0, 1, .... Say what they are by dataset.labels=instances or "
        "dataset.labels=classes"
    )


def all_values(labels: Sequence[Labels]) -> list[int]:
    """List the values in labels in rising order, negative ones left out.

    >>> all_values([np.array([[-1, 3]], np.int32), np.array([[0, 3]], np.int32)])
    [0, 3]
    """
    return sorted({int(v) for page in labels for v in np.unique(page) if v >= 0})


def count_classes(labels: Sequence[Labels]) -> int:
    """Count the classes 0, 1, ...; a gap in their numbers is refused.

    >>> count_classes([np.array([[0, 2, 1, 255]], np.int32)])
    3
    """
    values = [v for v in all_values(labels) if v != UNKNOWN]
    if set(values) | {0} != set(range(values[-1] + 1)):
        raise ValueError(
            f"class labels of values {', '.join(map(str, values[:12]))} leave gaps. Renumber them "
            "0, 1, ..., say how many classes there are by dataset.num_classes, or choose "
            "dataset.labels=instances"
        )
    return values[-1] + 1


def _single_pieces(page: Labels) -> list[bool]:
    """For each number above 0, whether its largest 8-connected piece has nine tenths of it."""
    single = []
    for value, box in enumerate(ndimage.find_objects(np.maximum(page, 0)), start=1):
        if box is not None:
            mask = (page[box] == value).astype(np.uint8)
            sizes = cv2.connectedComponentsWithStats(mask, connectivity=8)[2]
            single.append(bool(sizes[1:, cv2.CC_STAT_AREA].max() >= 0.9 * mask.sum()))
    return single
