"""Trace the outlines of objects along the corners of their pixels.

Column x and row y of an image cover the square from (x, y) to (x + 1, y + 1), as in ImageJ and
QuPath. So an outline encloses the object's pixels exactly.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Int

Ring = Int[np.ndarray, "n 2"]
Polygon = list[Ring]

WINDOW = 2048
"""Objects whose boxes begin in the same square of this side are read from disk together."""


def masks(
    labels: Any, numbers: Sequence[int], boxes: Int[np.ndarray, "n 4"]
) -> Iterator[tuple[int, tuple[int, int], Bool[np.ndarray, "h w"]]]:
    """Yield index, top left corner (row, column) and mask of each object.

    ``labels`` (h, w) are read by slices. ``boxes`` hold top, left, bottom and right; the last two
    are exclusive. The whole image is never read, except for an object as large as the image.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, (top, left, bottom, right) in enumerate(boxes.tolist()):
        is_large = max(bottom - top, right - left) > WINDOW
        place = (index,) if is_large else (top // WINDOW, left // WINDOW)
        groups.setdefault(place, []).append(index)
    for group in groups.values():
        up, start = boxes[group, :2].min(axis=0).tolist()
        down, end = boxes[group, 2:].max(axis=0).tolist()
        window = np.asarray(labels[up:down, start:end])
        for index in group:
            top, left, bottom, right = boxes[index].tolist()
            box = window[top - up : bottom - up, left - start : right - start]
            yield index, (top, left), box == numbers[index]


def outline(mask: Bool[np.ndarray, "h w"]) -> list[Polygon]:
    """Return a polygon for each part of a mask whose pixels are connected by their sides.

    A polygon is its outer ring, then the rings of its holes. Rings are corners (x, y), and the
    first one is not repeated at the end. Rings touch at most at single points, so polygons are
    valid in the sense of the Simple Features standard (OGC 06-103r4).

    >>> outline(np.array([[1, 1, 1]], bool))
    [[array([[0, 0], [3, 0], [3, 1], [0, 1]])]]
    """
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return [polygon(parts == number) for number in range(1, count)]


def polygon(part: Bool[np.ndarray, "h w"]) -> Polygon:
    """Return the rings of one connected part, the outer ring first."""
    found = rings(part)
    return sorted(found, key=signed_area, reverse=True)


def signed_area(ring: Ring) -> float:
    """Return the area within a ring: positive for outer rings, negative for holes."""
    x, y = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2


def rings(part: Bool[np.ndarray, "h w"]) -> list[Ring]:
    """Walk along the sides between a part and its surroundings, with the part on the right."""
    inside = np.pad(part, 1)
    height, width = inside.shape
    number = np.arange(height * width).reshape(height, width)  # of the top left corner of a pixel
    above, left = np.zeros_like(inside), np.zeros_like(inside)
    above[1:], left[:, 1:] = inside[:-1], inside[:, :-1]
    # In each direction, the corner at which a side begins, and the distance to its end.
    sides = (
        (inside & ~above, 1),  # to the right along the top of a pixel
        (left & ~inside, width),  # down along the right side of the pixel on the left
        (above & ~inside, -1),  # to the left along the bottom of the pixel above
        (inside & ~left, -width),  # up along the left side of a pixel
    )
    steps: dict[int, list[int]] = {}
    for is_side, step in sides:
        for corner in (number[is_side] + max(-step, 0)).tolist():
            steps.setdefault(corner, []).append(step)
    found = []
    while steps:
        found.append(ring_of(walk(steps, next(iter(steps)), width), width))
    return found


def walk(steps: dict[int, list[int]], start: int, width: int) -> list[int]:
    """Remove one ring from ``steps``, and return the corners at which it turns.

    At a corner where two pixels touch only diagonally, there are two next steps. The left turn
    leads to the other pixel, which belongs to the same part.
    """
    left_turn = {1: -width, width: 1, -1: width, -width: -1}
    first = step = steps[start][0]
    corner, turns = start, []
    while True:
        steps[corner].remove(step)
        if not steps[corner]:
            del steps[corner]
        corner += step
        if corner == start and (corner not in steps or left_turn[step] == first):
            return turns if step == first else [start, *turns]
        possible = steps[corner]
        after = left_turn[step] if left_turn[step] in possible else possible[0]
        if after != step:
            turns.append(corner)
        step = after


def ring_of(corners: Sequence[int], width: int) -> Ring:
    """Return corners as (x, y), without the margin of one pixel."""
    rows, columns = np.divmod(np.array(corners), width)
    return np.stack([columns - 1, rows - 1], axis=1)
