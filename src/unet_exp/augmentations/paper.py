"""Augmentation (arXiv:1505.04597, section 3.1): random tiles, then grey value variations."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped

from unet_exp.augmentations.random_tile import RandomTile


class Augmentation:
    """Cut a random tile of an image with its target and weights. Each seed gives another tile.

    Parameters
    ----------
    size, output_size
        Sides of the network's input and output, given at run time.
    rotation, flip, quarter_turns, scale, elastic_std, elastic_grid, interpolation
        As for `unet_exp.augmentations.random_tile.RandomTile`.
    transforms
        Changes of the tile's grey values, in order: `unet_exp.augmentations.grey_values`,
        `unet_exp.augmentations.microscope`, or albumentations transforms. Images have mean 0 and
        variance 1, so transforms that expect or clip to the range from 0 to 1 do not fit.

    >>> augment = Augmentation(size=8, output_size=4, elastic_std=0.5)
    >>> image, target = np.zeros((1, 9, 9), np.float32), np.ones((9, 9), np.int16)
    >>> [a.shape for a in augment(image, target, np.ones((9, 9), np.float32), seed=3)]
    [(1, 8, 8), (4, 4), (4, 4)]
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
        transforms: list | None = None,
    ) -> None:
        self.tiles = RandomTile(
            size,
            output_size,
            rotation=rotation,
            flip=flip,
            quarter_turns=quarter_turns,
            scale=scale,
            elastic_std=elastic_std,
            elastic_grid=elastic_grid,
            interpolation=interpolation,
        )
        self.transforms = [on_planes(transform) for transform in transforms or []]

    def __call__(
        self,
        image: Float32[np.ndarray, "c h w"],
        target: Shaped[np.ndarray, "*k h w"],
        weights: Float32[np.ndarray, "h w"],
        seed: int,
        turned: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    ) -> tuple[
        Float32[np.ndarray, "c size size"],
        Shaped[np.ndarray, "*k output output"],
        Float32[np.ndarray, "output output"],
    ]:
        """Return the tile of number ``seed``, which depends only on the arguments.

        ``turned`` rotates the directions in a target. It is called with the target's tile and with
        the matrices of `unet_exp.augmentations.tiles.directions`.
        """
        random = np.random.default_rng(seed)
        height, width = image.shape[-2:]
        tile = self.tiles.draw(height, width, random)
        planes = self.tiles.cut_image(image, tile)
        for transform in self.transforms:
            planes = transform(planes, random)
        cut = self.tiles.cut_target(target, tile)
        if turned is not None:
            cut = turned(cut, self.tiles.directions((height, width), tile))
        return planes, cut, self.tiles.cut_weights(weights, tile)


#: Function that changes the grey values of an image with channels first, with a random generator.
PlanesTransform = Callable[[Float32[np.ndarray, "c h w"], np.random.Generator], np.ndarray]


def on_planes(transform: Any) -> PlanesTransform:
    """Return an albumentations transform as a function of an image with channels first.

    Raises ValueError if the transform moves pixels.
    """
    # The import of albumentations takes more than a second, which `--help` does not need.
    import albumentations as A

    from unet_exp.augmentations.grey_values import GreyValues
    from unet_exp.augmentations.microscope import Microscope

    if isinstance(transform, GreyValues | Microscope):
        return transform.vary_planes
    if isinstance(transform, A.DualTransform):
        raise ValueError(
            f"{type(transform).__name__} moves pixels, and would blur what is interpolated "
            "already. Use rotation, flip, scale and elastic_std."
        )
    compose = A.Compose([transform])

    def apply(planes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        compose.set_random_state(generator, Random(int(generator.integers(2**32))))  # noqa: S311
        changed = compose(image=np.moveaxis(planes, 0, -1))["image"]
        return np.ascontiguousarray(np.moveaxis(changed, -1, 0))

    return apply
