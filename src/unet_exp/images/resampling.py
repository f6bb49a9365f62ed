"""Enlarge and shrink images piece by piece; each piece equals that part of the whole result.

A new pixel is a weighted mean of the old pixels around its position. The weights form a triangle
that reaches one old pixel to each side, or one new pixel if the image shrinks. So there is no
aliasing, and means and sums of probabilities are preserved.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Shaped
from scipy.sparse import csr_array

from unet_exp.arrays import MappedArray

Span = tuple[int, int]


class Shares(NamedTuple):
    """Weights of the old pixels in each new pixel, for a part of an axis."""

    matrix: csr_array
    """A row for each new pixel, a column for each old one in ``span``."""
    span: Span
    """The old pixels that are needed."""


def resized_length(length: int, scale: float) -> int:
    """Return the pixels of an axis after resizing by a factor; at least one.

    >>> resized_length(100, 0.25), resized_length(3, 0.1)
    (25, 1)
    """
    return max(1, round(length * scale))


def shares(part: Span, length: int, new_length: int) -> Shares:
    """Return the weights of old pixels for the new pixels of ``part``.

    Parameters
    ----------
    part
        First new pixel, and the one after the last.
    length, new_length
        Pixels of the whole axis before and after.

    >>> matrix, span = shares((1, 3), length=2, new_length=4)
    >>> matrix.toarray(), span
    (array([[0.75, 0.25],
            [0.25, 0.75]], dtype=float32), (0, 2))
    """
    ratio = length / new_length
    reach = max(1.0, ratio)
    places = (np.arange(*part) + 0.5) * ratio - 0.5
    first = np.floor(places - reach).astype(np.int64) + 1
    old = first[:, None] + np.arange(int(2 * reach) + 1)
    weights = np.maximum(0, 1 - np.abs(old - places[:, None]) / reach)
    weights[(old < 0) | (old >= length)] = 0
    weights /= weights.sum(1, keepdims=True)
    used = old[weights > 0]
    span = int(used.min()), int(used.max()) + 1
    rows = np.repeat(np.arange(len(places)), np.count_nonzero(weights, axis=1))
    values = weights[weights > 0].astype(np.float32)
    shape = len(places), span[1] - span[0]
    return Shares(csr_array((values, (rows, used - span[0])), shape), span)


def resampled(
    pixels: Shaped[np.ndarray, "c h w"], rows: Shares, columns: Shares
) -> Float32[np.ndarray, "c h2 w2"]:
    """Return new pixels, given the old ones in the spans of ``rows`` and ``columns``."""
    planes = (np.asarray(plane, np.float32) for plane in pixels)
    return np.stack([rows.matrix @ plane @ columns.matrix.T for plane in planes])


def resized(image: Any, height: int, width: int) -> MappedArray:
    """Return an image (c, h, w) in another size; pixels are computed when they are read by slices.

    >>> resized(np.array([[[0, 4]]]), 1, 4)[:, 0:1, 0:4]
    array([[[0., 1., 3., 4.]]], dtype=float32)
    """
    old, new = image.shape[-2:], (height, width)

    def read(source: Any, key: Any) -> Float32[np.ndarray, "c h2 w2"]:
        rows, columns = (
            shares(part.indices(size)[:2], before, size)
            for part, before, size in zip(key[-2:], old, new, strict=True)
        )
        pixels = source[:, slice(*rows.span), slice(*columns.span)]
        return resampled(np.asarray(pixels), rows, columns)

    return MappedArray(image, read, (image.shape[0], height, width), np.float32)


def nearest(
    labels: Shaped[np.ndarray, "h w"], height: int, width: int
) -> Shaped[np.ndarray, "{height} {width}"]:
    """Return labels in another size; each new pixel takes the number at the position of its centre.

    >>> nearest(np.array([[1, 2]]), 1, 4), nearest(np.array([[1, 2, 3]]), 1, 1)
    (array([[1, 1, 2, 2]]), array([[2]]))
    """
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.int64)
        for old, new in zip(labels.shape, (height, width), strict=True)
    )
    return labels[rows[:, None], columns]
