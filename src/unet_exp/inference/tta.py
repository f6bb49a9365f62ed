"""Test-time augmentation: rotated and mirrored images (Ronneberger et al. 2015, table 1).

A transformed image is an unbounded plane that is read by windows. So an image that is larger than
memory is never transformed as a whole, and there are no seams between tiles.
"""

import math
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float, Float32, Shaped

from unet_exp.geometry import mirror_window
from unet_exp.ranges import require_choice

Span = tuple[int, int]
CHOICES = ("none", "rotations", "dihedral")
#: Positions are rounded to 1 / STEPS of a pixel, which float32 represents exactly in each tile. So
#: OpenCV rounds a position in the same way in every tile. (Before version 5, it rounds to 1 / 32.)
STEPS = 1024
ROTATIONS = 7
"""Table 1: "averaged over 7 rotated versions of the input data"; the angles are not given."""


@runtime_checkable
class TransformedImage(Protocol):
    """An image, rotated or mirrored, on an unbounded plane."""

    @property
    def matrix(self) -> Float[np.ndarray, "2 2"]:
        """It takes a direction (down, right) on the plane to the direction in the image."""
        ...

    def window(self, rows: Span, columns: Span) -> Shaped[np.ndarray, "c h w"]:
        """Pixels of the plane, which mirrors the image beyond its borders."""
        ...

    def footprint(self, rows: Span, columns: Span) -> tuple[Span, Span]:
        """Rows and columns of the plane that show a region of the image."""
        ...

    def restored(
        self, values: Float32[np.ndarray, "k h2 w2"], rows: Span, columns: Span
    ) -> Float32[np.ndarray, "k h w"]:
        """Transform values of the region's footprint back to the pixels of the image."""
        ...


def transformed_images(tta: str, image: Any) -> list[TransformedImage]:
    """Return the transformed images whose predictions are averaged.

    ``none`` is the image itself. ``rotations`` are the article's 7: by multiples of 360 / 7 degrees
    around the centre, with bicubic interpolation, and bilinear interpolation back. ``dihedral`` are
    all 8 combinations of quarter turns and a reflection, without interpolation. ``image`` is any
    object that ``geometry.mirror_window`` reads.

    >>> [len(transformed_images(tta, np.zeros((1, 4, 6)))) for tta in CHOICES]
    [1, 7, 8]
    """
    require_choice("tta", tta, CHOICES)
    if tta == "rotations":
        angles = [2 * math.pi * turn / ROTATIONS for turn in range(ROTATIONS)]
        return [Turned(image), *(Rotated(image, angle) for angle in angles[1:])]
    if tta == "dihedral":
        return [Turned(image, turns, flip) for flip in (False, True) for turns in range(4)]
    return [Turned(image)]


class Turned:
    """The image after anticlockwise quarter turns, and after a left-right reflection if ``flip``.

    >>> turned = Turned(np.array([[[1, 2, 3]]]), quarter_turns=1)
    >>> turned.window((0, 3), (0, 1))
    array([[[3],
            [2],
            [1]]])
    >>> turned.footprint(rows=(0, 1), columns=(0, 2))
    ((1, 3), (0, 1))
    """

    def __init__(self, image: Any, quarter_turns: int = 0, flip: bool = False) -> None:
        self.image, self.quarter_turns, self.flip = image, quarter_turns % 4, flip
        height, width = image.shape[-2:]
        #: Rows and columns of the image before each quarter turn; the last entry is for all turns.
        self.sizes = [(height, width) if t % 2 == 0 else (width, height) for t in range(5)]

    @property
    def matrix(self) -> Float[np.ndarray, "2 2"]:
        """It takes a direction (down, right) on the plane to the direction in the image.

        >>> Turned(np.zeros((1, 2, 3)), quarter_turns=1).matrix.tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
        """
        quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
        mirror = np.diag([1.0, -1.0 if self.flip else 1.0])
        return np.linalg.matrix_power(quarter, self.quarter_turns) @ mirror

    def window(self, rows: Span, columns: Span) -> Shaped[np.ndarray, "c h w"]:
        """Pixels of the turned plane."""
        if self.flip:
            columns = mirrored(columns, self.sizes[self.quarter_turns][1])
        for turn in reversed(range(self.quarter_turns)):
            rows, columns = columns, mirrored(rows, self.sizes[turn][1])
        pixels = np.asarray(mirror_window(self.image, rows, columns))
        turned = np.rot90(pixels, self.quarter_turns, axes=(-2, -1))
        return turned[..., ::-1] if self.flip else turned

    def footprint(self, rows: Span, columns: Span) -> tuple[Span, Span]:
        """Rows and columns of the plane that show a region of the image."""
        for turn in range(self.quarter_turns):
            rows, columns = mirrored(columns, self.sizes[turn][1]), rows
        if self.flip:
            columns = mirrored(columns, self.sizes[self.quarter_turns][1])
        return rows, columns

    def restored(
        self, values: Float32[np.ndarray, "k h2 w2"], rows: Span, columns: Span
    ) -> Float32[np.ndarray, "k h w"]:
        """Turn back."""
        values = values[..., ::-1] if self.flip else values
        return np.rot90(values, -self.quarter_turns, axes=(-2, -1))


def mirrored(span: Span, size: int) -> Span:
    """Return the position of a span after an axis of ``size`` pixels is reversed.

    >>> mirrored((0, 2), size=10)
    (8, 10)
    """
    return size - span[1], size - span[0]


class Rotated:
    """The image rotated by ``angle`` (radians, anticlockwise) around its centre.

    The plane's origin is the image's centre, so that windows do not depend on how the image is
    cut into regions.

    >>> values = Rotated(np.ones((1, 5, 5), np.float32), math.pi / 4).window((-2, 3), (-2, 3))
    >>> values.shape, bool(np.allclose(values, 1))
    ((1, 5, 5), True)
    """

    def __init__(self, image: Any, angle: float) -> None:
        self.image = image
        self.cosine, self.sine = math.cos(angle), math.sin(angle)
        self.centre = (image.shape[-2] - 1) / 2, (image.shape[-1] - 1) / 2

    @property
    def matrix(self) -> Float[np.ndarray, "2 2"]:
        """It takes a direction (down, right) on the plane to the direction in the image."""
        return np.array([[self.cosine, self.sine], [-self.sine, self.cosine]])

    def window(self, rows: Span, columns: Span) -> Float32[np.ndarray, "c h w"]:
        """Pixels of the rotated plane, interpolated bicubically."""
        y, x = self._in_image(*np.mgrid[slice(*rows), slice(*columns)])
        sources = covering(y), covering(x)
        pixels = np.asarray(mirror_window(self.image, *sources), np.float32)
        return sampled(pixels, y - sources[0][0], x - sources[1][0], cv2.INTER_CUBIC)

    def footprint(self, rows: Span, columns: Span) -> tuple[Span, Span]:
        """Rectangle of the plane around a region of the image."""
        y, x = self._in_plane(*np.meshgrid(np.array(rows) - (0, 1), np.array(columns) - (0, 1)))
        return covering(y), covering(x)

    def restored(
        self, values: Float32[np.ndarray, "k h2 w2"], rows: Span, columns: Span
    ) -> Float32[np.ndarray, "k h w"]:
        """Interpolate bilinearly at the image's pixels."""
        (top, _), (left, _) = self.footprint(rows, columns)
        y, x = self._in_plane(*np.mgrid[slice(*rows), slice(*columns)])
        return sampled(values, y - top, x - left, cv2.INTER_LINEAR)

    def _in_image(self, y: Any, x: Any) -> tuple[Any, Any]:
        """Position in the image of a point of the plane."""
        return (
            self.centre[0] + self.cosine * y + self.sine * x,
            self.centre[1] - self.sine * y + self.cosine * x,
        )

    def _in_plane(self, y: Any, x: Any) -> tuple[Any, Any]:
        """Position in the plane of a point of the image."""
        down, across = y - self.centre[0], x - self.centre[1]
        return (
            self.cosine * down - self.sine * across,
            self.sine * down + self.cosine * across,
        )


def covering(positions: Shaped[np.ndarray, "..."]) -> Span:
    """Return the span of pixels that bicubic interpolation at these positions reads.

    >>> covering(np.array([0.5, 3.2]))
    (-2, 7)
    """
    return math.floor(positions.min()) - 2, math.ceil(positions.max()) + 3


def sampled(
    values: Float32[np.ndarray, "c h2 w2"],
    y: Shaped[np.ndarray, "h w"],
    x: Shaped[np.ndarray, "h w"],
    interpolation: int,
) -> Float32[np.ndarray, "c h w"]:
    """Interpolate each channel at rows ``y`` and columns ``x``."""
    x, y = (np.rint(positions * STEPS) / STEPS for positions in (x, y))
    maps = x.astype(np.float32), y.astype(np.float32)
    channels = (np.ascontiguousarray(channel, np.float32) for channel in values)
    return np.stack([cv2.remap(channel, *maps, interpolation) for channel in channels])
