"""Augmentation (arXiv:1505.04597, section 3.1): random views, then grey value variations."""

import random

import numpy as np
from jaxtyping import Float32, Int


class Augmentation:
    """A random tile of an image with its target and weights, for each seed another one.

    Parameters
    ----------
    size, output_size
        Sides of the network's input and output, given at run time.
    rotation, flip, quarter_turns, scale, elastic_std, elastic_grid, interpolation
        Of the one step that places, turns and deforms the tile: see
        `unet_exp.augmentations.random_tile.RandomTile`.
    transforms
        Albumentations transforms of the tile's grey values, in order. Images have mean 0 and
        variance 1, so those that expect or clip to the range from 0 to 1 do not fit.

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
        # Importing albumentations takes more than a second, which `--help` need not wait for.
        import albumentations as A

        from unet_exp.augmentations.random_tile import RandomTile

        view = RandomTile(
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
        for transform in transforms or []:
            if isinstance(transform, A.DualTransform):
                raise ValueError(
                    f"{type(transform).__name__} moves pixels, and would blur what is "
                    "interpolated already. Use rotation, flip, scale and elastic_std."
                )
        self.compose = A.Compose([view, *(transforms or [])], is_check_shapes=False)

    def __call__(
        self,
        image: Float32[np.ndarray, "c h w"],
        target: Int[np.ndarray, "h w"],
        weights: Float32[np.ndarray, "h w"],
        seed: int,
    ) -> tuple[
        Float32[np.ndarray, "c size size"],
        Int[np.ndarray, "output output"],
        Float32[np.ndarray, "output output"],
    ]:
        """Tile number ``seed``: a function of the arguments alone, in every process.

        A target of -1 (unknown) has the weight 0.
        """
        self.compose.set_random_state(np.random.default_rng(seed), random.Random(seed))  # noqa: S311
        tile = self.compose(image=np.moveaxis(image, 0, -1), mask=target, weights=weights)
        # Interpolation spreads weights into unknown pixels next to known ones.
        np.copyto(tile["weights"], 0, where=tile["mask"] < 0)
        planes = np.ascontiguousarray(np.moveaxis(tile["image"], -1, 0))
        return planes, tile["mask"], tile["weights"]
