"""Follow a flow from each pixel, and find the places where pixels meet.

As in Cellpose (doi:10.1038/s41592-020-01018-x). Each connected part of the foreground is laid out
by itself, so its objects depend on nothing else, and positions are fractions that float32 adds up
exactly. So a part has the same objects wherever it lies, alone or with others.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64

from unet_exp.connectivity import edge_labels, first_pixels, label_components, ordered
from unet_exp.postprocessing.flow_field import flow_field
from unet_exp.postprocessing.mosaic import mosaic

#: Positions and flows are multiples of 1 / FRACTION of a pixel. So a position (up to 2**15 pixels)
#: has 22 bits, and the product of two weights and a flow has 22 bits. float32 holds both exactly.
FRACTION = 128
#: A path ends up to 2 pixels outside of its part, and `SEED` looks 2 pixels further.
GAP = 8
#: Sides of the square in which a place is the one where most paths end.
SEED = 5
#: Paths that end on a place: more make it an object, and more count to one nearby.
MANY, SOME = 10, 2
#: Pixels around the place of an object whose paths count to it.
NEARBY = 5
#: Most pixels along a side of an array in OpenCV; paths that are followed at once.
LONGEST, AT_ONCE = 2**15 - 2, 2**18


@dataclass(frozen=True, eq=False)
class Sinks:
    """The pixels that meet in one place, for each such place.

    Attributes
    ----------
    labels
        The place where each pixel ends, from 1; 0: none.
    errors
        Mean square of the difference between the flow of the pixels of each place and the flow that
        they would have as one object.
    """

    labels: Int32[np.ndarray, "h w"]
    errors: Float32[np.ndarray, " n"]

    def objects(self, largest_error: float, min_size: int) -> Int32[np.ndarray, "h w"]:
        """Return the good ones of ``min_size`` pixels or more, in the order of their pixels.

        >>> labels, errors = np.int32([[3, 3, 2, 1, 1]]), np.float32([0.1, 0.1, 0.9])
        >>> Sinks(labels, errors).objects(0.4, 2)
        array([[0, 0, 0, 1, 1]], dtype=int32)
        """
        sizes = np.bincount(self.labels.ravel(), minlength=len(self.errors) + 1)
        keep = sizes >= max(min_size, 1)
        keep[0] = False
        keep[1:] &= self.errors <= largest_error
        return ordered(np.where(keep, np.cumsum(keep), 0).astype(np.int32)[self.labels])


def find_sinks(
    flow: Float32[np.ndarray, "2 h w"],
    mask: Bool[np.ndarray, "h w"],
    moving: Bool[np.ndarray, "h w"],
    steps: int,
    fill_holes: bool,
) -> Sinks:
    """Follow the flow of the ``moving`` pixels, a part of the mask.

    With ``fill_holes``, other pixels of the mask belong to the object that surrounds them.
    """
    parts = mosaic(label_components(mask), GAP)
    field = np.rint(np.clip(parts.laid_out(flow * moving), -1, 1) * FRACTION) / FRACTION
    start = np.stack(np.nonzero(parts.laid_out(moving)))
    ends = followed(field, start, steps)
    labels = np.zeros(parts.shape, np.int32)
    labels[*start] = meeting_places(ends, parts.shape)[*ends]
    errors = flow_errors(labels, field)
    if fill_holes:
        labels = without_own_holes(labels)
    return Sinks(parts.taken_back(labels, mask.shape), errors)


def followed(
    field: Float32[np.ndarray, "2 h w"], start: Int64[np.ndarray, "2 n"], steps: int
) -> Int64[np.ndarray, "2 n"]:
    """Return the pixels where paths end that begin at some pixels, by Euler's method.

    Raises ValueError if the field is too large.

    >>> right = np.array([[[0, 0, 0, 0]], [[1, 0.5, 0.5, 0]]], np.float32)
    >>> followed(right, np.array([[0], [0]]), steps=3).tolist()
    [[0], [2]]
    """
    if max(field.shape) > LONGEST:
        raise ValueError(
            f"The foreground is connected over {max(field.shape)} pixels, and flows are followed "
            f"over {LONGEST} at most. Raise postprocessing.threshold, so that it comes apart."
        )
    flow = np.ascontiguousarray(np.moveaxis(field, 0, -1).astype(np.float32))
    ends = np.empty_like(start)
    for first in range(0, start.shape[1], AT_ONCE):
        chunk = slice(first, first + AT_ONCE)
        row, column = (np.resize(one, (-(-len(one) // 512), 512)) for one in start[:, chunk])
        place = np.stack([row, column], -1).astype(np.float32)
        for _ in range(steps):
            step = cv2.remap(flow, place[..., 1].copy(), place[..., 0].copy(), cv2.INTER_LINEAR)
            step *= FRACTION
            place += np.rint(step, out=step) / np.float32(FRACTION)
        found = np.floor(place + np.float32(0.5)).reshape(-1, 2)[: len(start[0, chunk])]
        ends[:, chunk] = found.T
    return ends


def meeting_places(
    ends: Int64[np.ndarray, "2 n"], shape: tuple[int, int]
) -> Int32[np.ndarray, "h w"]:
    """Return the number of the object for the places where paths end; 0 where too few do.

    A place where more than `MANY` paths end, and no fewer than on any place of the 5 x 5 around,
    makes an object. It grows 5 times by the places around it where more than `SOME` paths end. Of
    two objects that reach a place at once, the one with more paths takes it.
    """
    paths = np.bincount(np.ravel_multi_index(tuple(ends), shape), minlength=shape[0] * shape[1])
    paths = paths.reshape(shape).astype(np.float32)
    most = cv2.dilate(paths, np.ones((SEED, SEED), np.uint8))
    places = label_components((paths == most) & (paths > MANY), connectivity=2)
    first = first_pixels(places)
    rank = np.zeros(len(first) + 1)
    rank[np.argsort(paths.reshape(-1)[first], kind="stable") + 1] = np.arange(1, len(rank))
    objects, square = rank[places], np.ones((3, 3), np.uint8)
    for _ in range(NEARBY):
        grown = cv2.dilate(objects, square)
        objects = np.where((objects == 0) & (paths > SOME), grown, objects)
    return objects.astype(np.int32)


def flow_errors(
    labels: Int32[np.ndarray, "h w"], field: Float32[np.ndarray, "2 h w"]
) -> Float32[np.ndarray, " n"]:
    """Return the mean square of the difference between a field and that of each object."""
    squares = ((flow_field(labels) - field) ** 2).sum(0)
    pixels = np.bincount(labels.ravel())
    errors = np.bincount(labels.ravel(), squares.ravel()) / np.maximum(pixels, 1)
    return errors[1:].round(4).astype(np.float32)


def without_own_holes(labels: Int32[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Fill the holes that a single object surrounds.

    >>> without_own_holes(np.array([[2, 2, 2], [2, 0, 2], [2, 2, 2]], np.int32))[1]
    array([2, 2, 2], dtype=int32)
    """
    empty = label_components(labels == 0, connectivity=2)
    numbers = labels.astype(np.float64)
    square = np.ones((3, 3), np.uint8)
    high = cv2.dilate(numbers, square)
    numbers[labels == 0] = np.inf
    low = cv2.erode(numbers, square)
    count = int(empty.max(initial=0)) + 1
    highest, lowest = np.zeros(count), np.full(count, np.inf)
    rim = (labels == 0) & (high > 0)
    np.maximum.at(highest, empty[rim], high[rim])
    np.minimum.at(lowest, empty[rim], low[rim])
    lowest[edge_labels(empty)] = -1
    lowest[0] = -1
    owner = np.where(lowest == highest, highest, 0).astype(np.int32)
    return labels + owner[empty]
