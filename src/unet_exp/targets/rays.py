"""Distances along rays to the border of an object (StarDist, arXiv:1806.03535)."""

from collections.abc import Sequence
from math import tau

import numpy as np
from jaxtyping import Float, Float32, Int, Integer, UInt
from scipy import ndimage

from unet_exp.postprocessing.star_polygons import directions
from unet_exp.targets.distances import indexed


def ray_distances(labels: Int[np.ndarray, "h w"], rays: int) -> Float32[np.ndarray, "rays h w"]:
    """Return how far each pixel of an object is from the object's border, along each ray.

    A ray starts in the middle of the pixel. In each step it goes one row or column on, and it ends
    half a step before the first pixel with another label, or before the edge of the image. Pixels
    of no object (0 or below) have a distance of 0. ``rays`` is even.

    >>> ray_distances(np.array([[0, 3, 3, 3, 5]]), rays=4)[[0, 2], 0]
    array([[0. , 2.5, 1.5, 0.5, 0.5],
           [0. , 0.5, 1.5, 2.5, 0.5]], dtype=float32)
    """
    index, count = indexed(labels)
    index = np.where(labels > 0, index + 1, 0)
    boxes = [box for box in ndimage.find_objects(index) if box is not None]
    longest = max((side.stop - side.start for box in boxes for side in box), default=0)
    kind = np.uint8 if longest < 2**8 - 1 else np.uint16
    # In one long row, a step is a shift, and a rim of one pixel ends each ray.
    padded = np.pad(index.astype(np.uint16 if count + 1 < 2**16 else np.int32), 1)
    distances = np.empty((rays, *labels.shape), np.float32)
    for ray, (down, right) in enumerate(directions(rays)[:, : rays // 2].T.tolist()):
        step = max(abs(down), abs(right))
        shifts = [
            round(k * down / step) * padded.shape[1] + round(k * right / step)
            for k in range(1, longest + 1)
        ]
        steps = steps_to_border(padded.reshape(-1), shifts, kind)
        inner = steps.reshape(2, *padded.shape)[:, 1:-1, 1:-1].astype(np.float32)
        distances[[ray, ray + rays // 2]] = (inner - np.float32(0.5)) / np.float32(step)
    distances *= labels > 0
    return distances


def steps_to_border(
    labels: Integer[np.ndarray, " n"], shifts: Sequence[int], kind: type
) -> UInt[np.ndarray, "2 n"]:
    """Return after how many steps from each pixel the label is another one, forth and back.

    >>> steps_to_border(np.array([0, 7, 7, 7, 0]), [1, 2, 3], np.uint8)[:, 1:4].tolist()
    [[3, 2, 1], [1, 2, 3]]
    """
    forth, back = inside = np.stack([labels > 0] * 2)
    steps = np.ones(inside.shape, kind)
    numbers = inside.view(np.uint8)
    for shift in shifts:
        here = slice(max(-shift, 0), len(labels) - max(shift, 0))
        there = slice(here.start + shift, here.stop + shift)
        same = labels[here] == labels[there]
        forth[here] &= same
        back[there] &= same
        steps += numbers
        if not inside.any():
            break
    return steps


def turned_rays(
    distances: Float32[np.ndarray, "rays h w"], matrix: Float[np.ndarray, "2 2 *grid"]
) -> Float32[np.ndarray, "rays h w"]:
    """Return the distances along the same rays, after each surrounding has been transformed.

    ``matrix`` takes an old direction (down, right) to the new one, for all pixels or for each.
    Distances between two rays are interpolated linearly. They are NaN where the matrix is.

    >>> square = np.array([1, 2, 3, 4], np.float32).reshape(4, 1, 1)  # right, down, left, up
    >>> turned_rays(square, np.array([[0.0, 1.0], [-1.0, 0.0]])).ravel()
    array([4., 1., 2., 3.], dtype=float32)
    >>> turned_rays(square, 2 * np.eye(2)).ravel()
    array([2., 4., 6., 8.], dtype=float32)
    """
    rays, grid = len(distances), distances.shape[1:]
    inside = distances.any(0)
    old = np.vstack([distances[:, inside], distances[:1, inside]])
    matrix = np.broadcast_to(matrix.reshape(2, 2, *(matrix.shape[2:] or (1, 1))), (2, 2, *grid))
    (a, b), (c, d) = matrix[:, :, inside].astype(np.float32)
    area, pixels = a * d - b * c, np.arange(old.shape[1])
    turned = np.zeros_like(distances)
    for new, down, right in zip(turned, *directions(rays).astype(np.float32), strict=True):
        # Where the new ray came from, by the inverse matrix.
        old_down, old_right = (d * down - b * right) / area, (a * right - c * down) / area
        place = np.arctan2(old_down, old_right) * np.float32(rays / tau) % rays
        first = np.nan_to_num(np.minimum(place, rays - 1)).astype(np.int32)
        low, high = old[first, pixels], old[first + 1, pixels]
        new[inside] = (low + (place - first) * (high - low)) / np.hypot(old_down, old_right)
    turned[:, np.isnan(matrix).any((0, 1))] = np.nan
    return turned
