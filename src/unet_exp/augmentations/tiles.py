"""Cut a tile from an image that is mirrored at its borders (arXiv:1505.04597, 2 and 3.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor

import cv2
import numpy as np
from jaxtyping import Float32, Int64, Shaped

from unet_exp.geometry import mirror_indices, mirror_window

INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}


#: Part of the usual change in place below which there is none.
FLAT = 0.3


@dataclass(frozen=True)
class Window:
    """A tile of whole pixels, turned and mirrored without interpolation.

    >>> Window(top=0, left=1, size=2, turns=1).cut(np.array([[1, 2, 3], [4, 5, 6]]), "cubic")
    array([[3, 6],
           [2, 5]])
    """

    top: int
    left: int
    size: int
    turns: int = 0
    """Quarter turns, counterclockwise."""
    flip: bool = False
    """Whether left and right are swapped, after the turns."""

    def cut(
        self, pixels: Shaped[np.ndarray, "*c h w"], interpolation: str, margin: int = 0
    ) -> Shaped[np.ndarray, "*c s s"]:
        """Return the tile without ``margin`` pixels at each side, as a new array."""
        del interpolation
        rows, columns = (
            (first + margin, first + self.size - margin) for first in (self.top, self.left)
        )
        tile = np.rot90(mirror_window(pixels, rows, columns), self.turns, axes=(-2, -1))
        return np.array(tile[..., ::-1] if self.flip else tile, order="C")


@dataclass(frozen=True)
class Warp:
    """A tile whose pixels are interpolated at any coordinates.

    Only the part of an array under the tile is read. So an image may be memory-mapped, and wider
    than the 32767 pixels that OpenCV allows.
    """

    rows: slice | Int64[np.ndarray, " r"]
    columns: slice | Int64[np.ndarray, " c"]
    coordinates: Float32[np.ndarray, "2 s s"]
    """Row and column for each pixel, counted from the first of ``rows`` and ``columns``."""

    @classmethod
    def around(
        cls,
        centre: tuple[float, float],
        reach: tuple[float, float],
        shape: tuple[int, int],
        coordinates: Callable[[tuple[float, float]], Float32[np.ndarray, "2 s s"]],
    ) -> "Warp":
        """Return the tile within ``reach`` rows and columns of ``centre`` in an image of ``shape``.

        ``coordinates`` computes the map for a centre. This centre is relative to the first pixel of
        the part, because float32 is too coarse for positions in a large image.
        """
        parts, centres = [], []
        for position, far, size in zip(centre, reach, shape, strict=True):
            # Cubic interpolation needs one pixel before and two after the position.
            part, first = mirrored_part(floor(position - far) - 1, floor(position + far) + 2, size)
            parts.append(part)
            centres.append(position - first)
        return cls(parts[0], parts[1], coordinates((centres[0], centres[1])))

    def cut(
        self, pixels: Shaped[np.ndarray, "*c h w"], interpolation: str, margin: int = 0
    ) -> Shaped[np.ndarray, "*c s s"]:
        """Return the tile without ``margin`` pixels at each side, as a new array."""
        part = pixels[..., self.rows, :][..., self.columns]
        if part.dtype not in (np.uint8, np.uint16, np.int16, np.int32, np.float32):
            # OpenCV's remap does not support int64 and bool.
            part = part.astype(np.float32 if part.dtype.kind == "f" else np.int32)
        inner = slice(margin, self.coordinates.shape[-1] - margin)
        row, column = self.coordinates[:, inner, inner]
        tile = np.empty((*part.shape[:-2], *row.shape), part.dtype)
        for channel in np.ndindex(*part.shape[:-2]):
            cv2.remap(
                np.asarray(part[channel]),
                column,
                row,
                INTERPOLATIONS[interpolation],
                dst=tile[channel],
                borderMode=cv2.BORDER_REFLECT_101,
            )
        return tile.astype(pixels.dtype, copy=False)


#: A square tile, which can be cut from several arrays of the same height and width.
Tile = Window | Warp


def directions(
    tile: Tile, shape: tuple[int, int], margin: int = 0
) -> Float32[np.ndarray, "2 2 s s"]:
    """Return matrices that transform a direction in an image to the direction in its tile.

    They are the inverse of the change of position in the image from pixel to pixel of the tile. In
    mirrored parts, directions are mirrored as well. On the line of reflection, there is no
    direction; the matrices are NaN there.

    >>> directions(Window(top=0, left=0, size=2, turns=1), (9, 9))[..., 0, 0].tolist()
    [[0.0, -1.0], [1.0, 0.0]]
    """
    height, width = shape
    rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], shape)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), shape)
    places = (tile.cut(ramp, "linear", margin) for ramp in (rows, columns))
    (a, b), (c, d) = (np.gradient(place) for place in places)
    area = a * d - b * c
    area[np.abs(area) < FLAT * np.median(np.abs(area))] = np.nan
    return np.stack([np.stack([d, -b]), np.stack([-c, a])]) / area + np.float32(0)


def mirrored_part(low: int, high: int, size: int) -> tuple[slice | Int64[np.ndarray, " n"], int]:
    """Return the part of a mirrored axis at positions ``low`` to ``high``, and its first position.

    The axis has ``size`` pixels. If the positions extend beyond an end of the axis, the part
    includes that end, so that mirroring the part is the same as mirroring the axis. OpenCV mirrors
    only once. If that is not enough, the part has every position, already mirrored.

    >>> mirrored_part(-3, 2, size=10), mirrored_part(8, 11, size=10), mirrored_part(-3, 2, size=3)
    ((slice(0, 4, None), 0), (slice(7, 10, None), 7), (array([1, 2, 1, 0, 1, 2]), -3))
    """
    if low <= 1 - size or high >= 2 * size - 2:
        return mirror_indices(low, high + 1, size), low
    first = 0 if low < 0 else min(low, 2 * size - 2 - high)
    last = size - 1 if high >= size else max(high, -low)
    return slice(first, last + 1), first
