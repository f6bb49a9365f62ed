"""Shift, rotation, mirroring, scale and elastic deformation in one step (arXiv:1505.04597, 3.1)."""

from dataclasses import dataclass
from functools import partial
from math import cos, exp, log, radians, sin

import numpy as np
from jaxtyping import Float32, Shaped

from unet_exp.augmentations.elastic import coordinate_map, reach
from unet_exp.augmentations.tiles import INTERPOLATIONS, Tile, Warp, Window, directions


@dataclass(frozen=True)
class RandomTile:
    """Draw square tiles, and cut them from an image, its target and its weights.

    The image is interpolated with ``interpolation``, the weights linearly; the target takes the
    nearest pixel. Without rotation, scale and elastic deformation, all three are exact copies.
    Images are mirrored at their borders.

    Parameters
    ----------
    size, output_size
        Sides of the network's input and output. The tile of the image has the first, the tiles of
        target and weights the second side; they have the same centre. The output's position is
        uniform inside the image; an image smaller than the output is centred in it.
    rotation
        Angles are uniform between plus and minus this, in degrees.
    flip
        Whether half of the tiles are mirrored.
    quarter_turns
        Whether tiles are turned by 0, 90, 180 or 270 degrees.
    scale
        Magnifications are log-uniform between this and its inverse.
    elastic_std, elastic_grid
        Standard deviation in pixels of the Gaussian displacements, and the side of their grid.
    interpolation
        Interpolation of the image: ``nearest``, ``linear`` or ``cubic``.
    """

    size: int
    output_size: int
    rotation: float = 180.0
    flip: bool = True
    quarter_turns: bool = False
    scale: float = 1.0
    elastic_std: float = 10.0
    elastic_grid: int = 3
    interpolation: str = "cubic"

    def __post_init__(self) -> None:
        if not 0 < self.output_size <= self.size or (self.size - self.output_size) % 2:
            raise ValueError(
                f"A tile of {self.size} pixels cannot have an output of {self.output_size}: it "
                "must be the tile's centre, with the same number of pixels left out at both ends."
            )
        if self.scale < 1 or self.elastic_std < 0 or self.elastic_grid < 2:
            raise ValueError(
                f"scale = {self.scale}, elastic_std = {self.elastic_std}, elastic_grid = "
                f"{self.elastic_grid}: the least are 1, 0 and 2."
            )
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"interpolation = {self.interpolation!r} is unknown. Choose one of "
                f"{', '.join(INTERPOLATIONS)}."
            )

    @property
    def margin(self) -> int:
        """Pixels of the input around the output, on each side."""
        return (self.size - self.output_size) // 2

    def draw(self, height: int, width: int, random: np.random.Generator) -> Tile:
        """Draw the next tile of an image of this size."""
        top, left = (
            int(random.integers(room + 1)) if room >= 0 else room // 2
            for room in (height - self.output_size, width - self.output_size)
        )
        turns = int(random.integers(4)) if self.quarter_turns else 0
        flip = bool(self.flip and random.random() < 0.5)
        if self.rotation == 0 and self.scale == 1 and self.elastic_std == 0:
            return Window(top - self.margin, left - self.margin, self.size, turns, flip)
        angle = radians(90 * turns + random.uniform(-self.rotation, self.rotation))
        shrinking = exp(random.uniform(-log(self.scale), log(self.scale)))
        matrix = shrinking * np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
        matrix[:, 1] *= -1 if flip else 1
        grid = (2, self.elastic_grid, self.elastic_grid)
        displacements = random.normal(0, self.elastic_std, grid)
        half = (self.output_size - 1) / 2
        return Warp.around(
            (top + half, left + half),
            reach(self.size, matrix, displacements),
            (height, width),
            partial(coordinate_map, self.size, matrix, displacements),
        )

    def cut_image(
        self, image: Shaped[np.ndarray, "*c h w"], tile: Tile
    ) -> Shaped[np.ndarray, "*c size size"]:
        """Return the tile of an image, contiguous, as a new array."""
        return tile.cut(image, self.interpolation)

    def cut_target(
        self, target: Shaped[np.ndarray, "*k h w"], tile: Tile
    ) -> Shaped[np.ndarray, "*k output output"]:
        """Return the centre of the tile of a target; each pixel has a value of the target."""
        return tile.cut(target, "nearest", self.margin)

    def directions(self, shape: tuple[int, int], tile: Tile) -> Float32[np.ndarray, "2 2 o o"]:
        """Return how a direction in an image of this shape is rotated, for each target pixel."""
        return directions(tile, shape, self.margin)

    def cut_weights(
        self, weights: Shaped[np.ndarray, "h w"], tile: Tile
    ) -> Shaped[np.ndarray, "output output"]:
        """Return the centre of the tile of a weight map."""
        return tile.cut(weights, "linear", self.margin)
