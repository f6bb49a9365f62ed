"""Smooth deformations from displacements on a coarse grid (arXiv:1505.04597, section 3.1)."""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch.nn.functional import interpolate

#: Largest number of multiplications in one matrix product. OpenBLAS computes products of more than
#: 2**18 on all cores. Its idle threads then keep the cores busy, which slows down all other work.
PRODUCT = 2**17


@lru_cache(maxsize=8)
def bicubic_basis(points: int, size: int) -> Float32[np.ndarray, "size points"]:
    """Return the weight of each of ``points`` control points in each of ``size`` pixels of an axis.

    The first and the last control point are the first and the last pixel. The kernel is the
    usual one of image libraries (Keys 1981, doi:10.1109/TASSP.1981.1163711, with a = -0.75).

    >>> bicubic_basis(3, 5)
    array([[ 1.     ,  0.     ,  0.     ],
           [ 0.5    ,  0.59375, -0.09375],
           [ 0.     ,  1.     ,  0.     ],
           [-0.09375,  0.59375,  0.5    ],
           [ 0.     ,  0.     ,  1.     ]], dtype=float32)
    """
    identity = torch.eye(points).reshape(1, points, points, 1)
    basis = interpolate(identity, size=(size, 1), mode="bicubic", align_corners=True)
    return np.ascontiguousarray(basis.reshape(points, size).T.numpy())


def coordinate_map(
    size: int,
    matrix: Float64[np.ndarray, "2 2"],
    displacements: Float64[np.ndarray, "2 n n"],
    centre: tuple[float, float] = (0, 0),
) -> Float32[np.ndarray, "2 {size} {size}"]:
    """Return the row and the column from which each pixel of a square tile takes its value.

    The position is ``centre``, plus ``matrix`` times the pixel's position relative to the centre of
    the tile, plus the bicubically interpolated ``displacements`` (rows, columns; in pixels) of a
    grid that spans the tile from its first to its last pixel.

    >>> coordinate_map(3, np.eye(2), np.full((2, 3, 3), 0.5))[0]
    array([[-0.5, -0.5, -0.5], [ 0.5,  0.5,  0.5], [ 1.5,  1.5,  1.5]], dtype=float32)
    """
    n = displacements.shape[-1]
    # Each term is the product of a factor for the row and a factor for the column. The factors are
    # the n weights of the grid, the position, and 1. So the map needs only two small matrix
    # products.
    basis = np.empty((size, n + 2), np.float32)
    basis[:, :n] = bicubic_basis(n, size)
    basis[:, n] = np.arange(size) - (size - 1) / 2
    basis[:, n + 1] = 1
    parts = np.zeros((2, n + 2, n + 2), np.float32)
    parts[:, :n, :n] = displacements
    parts[:, n, n + 1] = matrix[:, 0]
    parts[:, n + 1, n] = matrix[:, 1]
    parts[:, n + 1, n + 1] = centre
    left, right = basis @ parts, np.ascontiguousarray(basis.T)
    coordinates = np.empty((2, size, size), np.float32)
    rows = max(1, PRODUCT // basis.size)
    for top in range(0, size, rows):
        block = np.s_[:, top : top + rows]
        np.matmul(left[block], right, out=coordinates[block])
    return coordinates


def reach(
    size: int,
    matrix: Float64[np.ndarray, "2 2"],
    displacements: Float64[np.ndarray, "2 n n"],
) -> tuple[float, float]:
    """Return upper bounds of the rows and of the columns between a coordinate map and its centre.

    The bounds are tight, and take a hundredth of the time of a search for the largest distance.

    >>> reach(3, np.eye(2), np.full((2, 3, 3), 0.5))
    (1.5, 1.5)
    """
    overshoot = np.abs(bicubic_basis(displacements.shape[-1], size)).sum(1).max() ** 2
    straight = (size - 1) / 2 * np.abs(matrix).sum(1)
    down, across = straight + overshoot * np.abs(displacements).max((1, 2))
    return float(down), float(across)
