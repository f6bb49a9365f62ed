"""Shift, rotation, mirroring, scale and elastic deformation in one step (arXiv:1505.04597, 3.1)."""

from functools import partial
from math import cos, exp, log, radians, sin
from typing import Any

import albumentations as A
import numpy as np
from jaxtyping import Shaped

from unet_exp.augmentations.elastic import coordinate_map, reach
from unet_exp.augmentations.tiles import INTERPOLATIONS, Tile, Warp, Window


class RandomTile(A.DualTransform):
    """A random square tile of ``image`` (h, w, c), ``mask`` (h, w) and ``weights`` (h, w).

    The image is interpolated by ``interpolation``, the weights linearly, the mask takes the
    nearest pixel; without rotation, scale and elastic deformation all three are exact copies.
    Beyond the image they go on mirrored.

    Parameters
    ----------
    size, output_size
        Sides of the tile of ``image``, and of the tiles of the other two, which are its centre:
        the sides of the network's input and output. The output's place is uniform among those
        inside the image; if it does not fit, it is in the middle.
    rotation
        Angles are uniform between plus and minus this, in degrees.
    flip
        Whether every other tile is mirrored.
    quarter_turns
        Whether tiles are turned by 0, 90, 180 or 270 degrees.
    scale
        Magnifications are log-uniform between this and its inverse.
    elastic_std, elastic_grid
        Standard deviation in pixels of the Gaussian displacements, and the side of their grid.
    """

    def __init__(
        self,
        size: int,
        output_size: int,
        rotation: float = 180.0,
        flip: bool = True,
        quarter_turns: bool = False,
        scale: float = 1.0,
        elastic_std: float = 10.0,
        elastic_grid: int = 3,
        interpolation: str = "cubic",
    ) -> None:
        super().__init__(p=1.0)
        if not 0 < output_size <= size or (size - output_size) % 2:
            raise ValueError(
                f"A tile of {size} pixels cannot have an output of {output_size}: it must be the "
                "tile's centre, with the same number of pixels left out at both ends."
            )
        if scale < 1 or elastic_std < 0 or elastic_grid < 2:
            raise ValueError(
                f"scale = {scale}, elastic_std = {elastic_std}, elastic_grid = {elastic_grid}: "
                "the least are 1, 0 and 2."
            )
        if interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"interpolation = {interpolation!r} is unknown. Choose one of "
                f"{', '.join(INTERPOLATIONS)}."
            )
        self.size, self.output_size = size, output_size
        self.rotation, self.flip, self.quarter_turns = rotation, flip, quarter_turns
        self.scale, self.elastic_std, self.elastic_grid = scale, elastic_std, elastic_grid
        self.image_interpolation = interpolation

    def draw(self, height: int, width: int) -> Tile:
        """Draw what the next tile shows of an image."""
        random, margin = self.random_generator, (self.size - self.output_size) // 2
        top, left = (
            int(random.integers(room + 1)) if room >= 0 else room // 2
            for room in (height - self.output_size, width - self.output_size)
        )
        turns = int(random.integers(4)) if self.quarter_turns else 0
        flip = bool(self.flip and random.random() < 0.5)
        if self.rotation == 0 and self.scale == 1 and self.elastic_std == 0:
            return Window(top - margin, left - margin, self.size, turns, flip)
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

    def apply_with_params(
        self, params: dict[str, Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Show the tile of each array.

        The method of the base class would first copy whole arrays that are not contiguous, such
        as a channels-last view of a memory map.
        """
        del args
        sight, margin = params["sight"], (self.size - self.output_size) // 2
        shown = dict(kwargs)
        shown["image"] = self.apply(kwargs["image"], sight=sight)
        for name, interpolation in (("mask", "nearest"), ("weights", "linear")):
            if kwargs.get(name) is not None:
                shown[name] = sight.show(kwargs[name], interpolation, margin)
        return shown

    def apply(
        self, img: Shaped[np.ndarray, "h w c"], *args: Any, **params: Any
    ) -> Shaped[np.ndarray, "s s c"]:
        """Tile of an image with channels last."""
        del args
        planes = params["sight"].show(np.moveaxis(img, -1, 0), self.image_interpolation)
        return np.moveaxis(planes, 0, -1)

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """Draw one tile for all arrays."""
        del data
        height, width = params["shape"][:2]
        return {"sight": self.draw(height, width)}
