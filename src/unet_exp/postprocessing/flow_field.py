"""Unit vectors that lead to the centre of each object (Cellpose, doi:10.1038/s41592-020-01018-x).

Heat spreads from the centre of an object and leaks at its border. The vectors are the direction in
which it gets warmer.
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int, Int64

from unet_exp.postprocessing.mosaic import mosaic


def flow_field(labels: Int[np.ndarray, "h w"]) -> Float32[np.ndarray, "2 h w"]:
    """Return the direction (down, right) from each pixel of an object towards its centre.

    The centre is the pixel of the object next to the medians of its rows and columns. In each step
    it gets one unit of heat, and then each pixel takes the mean of the 3 x 3 pixels around, with 0
    outside of the object. There are twice as many steps as the object has rows and columns
    together, less 2. The direction is that of the gradient of log(1 + heat).

    It is 0 in the background, in unknown pixels, and where an object is symmetric. Parts of an
    object that do not touch, not even at corners, have a centre each.

    >>> flow_field(np.array([[0, 0, 0, 0, 0], [0, 5, 5, 5, 0], [0, 0, 0, 0, 0]]))[1, 1]
    array([ 0.,  1.,  0., -1.,  0.], dtype=float32)
    """
    objects = mosaic(labels, gap=1)
    inside = objects.laid_out((labels > 0).astype(np.float32))
    places = objects.places
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    part = parts[*places].astype(np.int64) - 1
    boxes = boxes[1:].astype(np.int64)
    if count == 1:
        return np.zeros((2, *labels.shape), np.float32)
    # float32 has no room for the little heat at the ends of thin objects.
    heat = spread(inside.astype(np.float64), centres(places, part, boxes), boxes)
    warmth = np.log1p(heat)
    row, column = places
    gradient = np.stack(
        [
            warmth[row + 1, column] - warmth[row - 1, column],
            warmth[row, column + 1] - warmth[row, column - 1],
        ]
    )
    length = np.hypot(*gradient)
    # A gradient that comes from rounding has no direction.
    gradient[:, length < 1e-9 * warmth[row, column]] = 0
    flow = np.zeros((2, *labels.shape), np.float32)
    flow[:, *objects.pixels] = gradient / np.where(length > 0, length, 1)
    return flow


def centres(
    places: Int64[np.ndarray, "2 n"],
    part: Int64[np.ndarray, " n"],
    boxes: Int64[np.ndarray, "parts 5"],
) -> Int64[np.ndarray, "2 parts"]:
    """Return the pixel of each part that is nearest to the medians of its rows and columns.

    ``boxes`` holds left, top, width, height and pixels of the parts. The first of equally near
    pixels counts.

    >>> square = np.stack(np.nonzero(np.ones((3, 3))))
    >>> centres(square, np.zeros(9, int), np.array([[0, 0, 3, 3, 9]])).tolist()
    [[1], [1]]
    """
    left, top, width, height, counts = boxes.T
    squares = np.zeros(part.shape)
    for place, first, length in zip(places, (top, left), (height, width), strict=True):
        offset = place - first[part]
        squares += (offset - medians(offset, part, length, counts)[part]) ** 2
    least = np.full(len(boxes), np.inf)
    np.minimum.at(least, part, squares)
    nearest = np.flatnonzero(squares == least[part])[::-1]
    centre = np.zeros(len(boxes), np.int64)
    centre[part[nearest]] = nearest  # of several, the first is written last
    return places[:, centre]


def medians(
    values: Int64[np.ndarray, " n"],
    part: Int64[np.ndarray, " n"],
    lengths: Int64[np.ndarray, " parts"],
    counts: Int64[np.ndarray, " parts"],
) -> Float64[np.ndarray, " parts"]:
    """Return the median of the values of each part, which are below the part's length.

    >>> medians(np.array([2, 0, 1, 4, 5]), np.array([0, 0, 0, 1, 1]), np.array([3, 6]),
    ...         np.array([3, 2]))
    array([1. , 4.5])
    """
    offset = np.cumsum(lengths) - lengths
    below = np.cumsum(np.bincount(values + offset[part], minlength=int(lengths.sum())))
    start = np.cumsum(counts) - counts
    low, high = (
        np.searchsorted(below, start + middle, side="right")
        for middle in ((counts - 1) // 2, counts // 2)
    )
    return (low + high) / 2 - offset


def spread(
    inside: Float64[np.ndarray, "h w"],
    centre: Int64[np.ndarray, "2 parts"],
    boxes: Int64[np.ndarray, "parts 5"],
) -> Float64[np.ndarray, "h w"]:
    """Return the heat of each pixel of a mosaic after the steps of its part.

    Parts with fewer steps begin later, so that all end at once.
    """
    steps = 2 * (boxes[:, 2] + boxes[:, 3] - 2)
    order = np.argsort(-steps, kind="stable")
    bottom = np.maximum.accumulate((boxes[:, 1] + boxes[:, 3])[order]) + 1
    active = np.searchsorted(-steps[order], -np.arange(int(steps.max()), 0, -1), side="right")
    sources = centre[0, order] * inside.shape[1] + centre[1, order]
    heat = np.zeros_like(inside)
    flat = heat.reshape(-1)
    mean = np.full(3, 1 / 3)
    for parts in active.tolist():
        flat[sources[:parts]] += 1
        rows = heat[: bottom[parts - 1]]
        cv2.sepFilter2D(rows, -1, mean, mean, dst=rows, borderType=cv2.BORDER_CONSTANT)
        rows *= inside[: bottom[parts - 1]]
    return heat
