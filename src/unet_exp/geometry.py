"""Mirrored windows, crops, tile plans: the overlap-tile strategy (arXiv:1505.04597, figure 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

Pixels = TypeVar("Pixels", np.ndarray, Tensor)


def mirror_indices(start: int, stop: int, size: int) -> Int64[np.ndarray, " n"]:
    """Index of the pixel seen at each position ``start..stop - 1`` of a mirrored axis.

    The axis of ``size`` pixels is reflected at both ends without repeating the edge pixels, as
    often as needed. An axis of one pixel repeats this pixel.

    >>> mirror_indices(-4, 6, size=3)
    array([0, 1, 2, 1, 0, 1, 2, 1, 0, 1])
    """
    if size < 1:
        raise ValueError(f"An axis of {size} pixels has nothing to mirror. Pass one pixel or more.")
    period = max(2 * (size - 1), 1)
    index = np.arange(start, stop, dtype=np.int64) % period
    return np.minimum(index, period - index)


def mirror_pad(image: Pixels, top: int, bottom: int, left: int, right: int) -> Pixels:
    """Add any number of mirrored rows and columns to the last two axes of an image.

    (``torch.nn.functional.pad`` can only reflect by less than the side of the image.)

    >>> mirror_pad(np.array([[1, 2]]), top=0, bottom=1, left=0, right=3)
    array([[1, 2, 1, 2, 1],
           [1, 2, 1, 2, 1]])
    """
    for axis, before, after in ((-2, top, bottom), (-1, left, right)):
        size = image.shape[axis]
        if before or after:
            image = _gather(image, axis, mirror_indices(-before, size + after, size))
    return image


def mirror_window(image: Any, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
    """Rows and columns ``(start, stop)`` of an image that is mirrored at its borders without end.

    ``image`` is an array, a tensor, or an object with a ``shape`` that is read by slices, such as a
    memory map or a Zarr array. Its last two axes are rows and columns. Positions may be negative or
    beyond the image. Only the needed pixels are read, with a single slice, so no padded copy of a
    large image is made. A window inside an array is a view of it.

    >>> mirror_window(np.array([[1, 2, 3]]), rows=(0, 1), columns=(-1, 5))
    array([[2, 1, 2, 3, 2, 1]])
    """
    height, width = image.shape[-2:]
    down, across = mirror_indices(*rows, height), mirror_indices(*columns, width)
    top, left = int(down.min()), int(across.min())
    pixels = image[..., top : int(down.max()) + 1, left : int(across.max()) + 1]
    if rows[0] < 0 or rows[1] > height:
        pixels = _gather(pixels, -2, down - top)
    if columns[0] < 0 or columns[1] > width:
        pixels = _gather(pixels, -1, across - left)
    return pixels


def centre_crop(image: Pixels, height: int, width: int) -> Pixels:
    """View of the central ``height x width`` pixels of the last two axes.

    If the margins cannot be equal, the one above or to the left is smaller by a pixel.

    >>> centre_crop(np.arange(5)[None], height=1, width=3)
    array([[1, 2, 3]])
    """
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    if top < 0 or left < 0:
        raise ValueError(
            f"A crop of {height} x {width} pixels is larger than its image of "
            f"{image.shape[-2]} x {image.shape[-1]}. Crop less, or pad the image first."
        )
    return image[..., top : top + height, left : left + width]


@dataclass(frozen=True)
class TilePlan:
    """How tiles cover one axis of an image."""

    side: int
    """Number of pixels that the network sees in a tile, including the context."""
    core: int
    """Number of pixels that a tile computes: ``side`` without the halo at both ends."""
    starts: tuple[int, ...]
    """First pixel of each core, a multiple of the network's step. The last core may extend beyond
    the end of the axis."""


def plan_tiles(
    size: int,
    limit: int,
    step: int,
    halo: int,
    fitting_sizes: Callable[[int], tuple[int | None, int]],
) -> TilePlan:
    """Cover an axis of ``size`` pixels with the fewest tiles of side ``limit`` or less.

    All tiles have the same side, the smallest that is possible with this number of tiles. Cores
    start on the grid of ``step``. So the poolings of a tile combine the same pixels as those of the
    whole image, and the logits are equal.

    Raises ``ValueError`` if ``limit`` has no room for the halo and one step.

    >>> def multiples(size):  # the sides that a same-padded network of depth 2 takes
    ...     return size // 4 * 4 or None, -(-size // 4) * 4
    >>> plan_tiles(100, limit=80, step=4, halo=20, fitting_sizes=multiples)
    TilePlan(side=76, core=36, starts=(0, 36, 72))
    >>> plan_tiles(30, limit=80, step=4, halo=20, fitting_sizes=multiples)
    TilePlan(side=72, core=32, starts=(0,))
    """
    whole = fitting_sizes(size + 2 * halo)[1]
    if whole <= limit:
        return TilePlan(whole, whole - 2 * halo, (0,))
    core = (fitting_sizes(limit)[0] or 0) - 2 * halo
    if core < step:
        raise ValueError(
            f"A tile of {limit} pixels is too small for a network that looks {halo} pixels "
            f"around: take {fitting_sizes(2 * halo + step)[1]} or more, or a smaller depth."
        )
    count = 1 + -(-(size - core) // (core // step * step))
    stride = max(size // count // step * step, step)
    while True:
        side = fitting_sizes(stride + 2 * halo)[1]
        core = side - 2 * halo
        if (count - 1) * stride + core >= size:
            return TilePlan(side, core, tuple(range(0, count * stride, stride)))
        stride += step


def _gather(image: Pixels, axis: int, index: Int64[np.ndarray, " n"]) -> Pixels:
    if isinstance(image, Tensor):
        return image.index_select(axis, torch.from_numpy(index).to(image.device))
    return np.take(image, index, axis=axis)
