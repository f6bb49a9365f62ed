"""Random tiles as a transform of albumentations, for the user's own pipelines."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import albumentations as A
import numpy as np
from jaxtyping import Shaped

from unet_exp.augmentations.random_tile import RandomTile
from unet_exp.augmentations.tiles import Tile


class RandomTileTransform(A.DualTransform):
    """Cut a random tile of ``image``, ``mask``, ``masks`` and ``weights`` for ``A.Compose``.

    The tile of the image (h, w, c) has the side ``size``; the others (h, w) have the side
    ``output_size``. All must be of one size. ``images``, ``volume`` and ``mask3d`` are cut slice by
    slice, at the same place. The parameters are those of
    `unet_exp.augmentations.random_tile.RandomTile`.

    >>> cut = A.Compose([RandomTileTransform(size=8, output_size=4)])
    >>> tile = cut(image=np.zeros((9, 9, 1), np.float32), mask=np.zeros((9, 9), np.int16))
    >>> tile["image"].shape, tile["mask"].shape
    ((8, 8, 1), (4, 4))
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
        p: float = 1.0,
    ) -> None:
        self.tiles = RandomTile(
            size,
            output_size,
            rotation,
            flip,
            quarter_turns,
            scale,
            elastic_std,
            elastic_grid,
            interpolation,
        )
        # Albumentations reads the arguments from here when it serialises a transform.
        vars(self).update(asdict(self.tiles))
        super().__init__(p=p)

    @property
    def targets(self) -> dict[str, Callable[..., Any]]:
        """The functions that albumentations calls, by the kind of data."""
        return {
            **super().targets,
            "mask3d": self.apply_to_masks,
            "masks3d": self.apply_to_stacks,
            "weights": self.apply_to_weights,
            "bboxes": self.refuse,
            "keypoints": self.refuse,
        }

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """Draw one tile for all arrays."""
        height, width = params["shape"][:2]
        return {"tile": self.tiles.draw(height, width, self.random_generator)}

    def apply(
        self, img: Shaped[np.ndarray, "h w *c"], tile: Tile, **_: Any
    ) -> Shaped[np.ndarray, "size size *c"]:
        """Return the tile of an image with channels last, or without channels."""
        if img.ndim == 2:
            return self.tiles.cut_image(img, tile)
        return np.moveaxis(self.tiles.cut_image(np.moveaxis(img, -1, 0), tile), 0, -1)

    def apply_to_mask(
        self, mask: Shaped[np.ndarray, "h w *c"], tile: Tile, **_: Any
    ) -> Shaped[np.ndarray, "output output *c"]:
        """Return the tile of a mask with channels last, or without channels."""
        if mask.ndim == 2:
            return self.tiles.cut_target(mask, tile)
        return np.moveaxis(self.tiles.cut_target(np.moveaxis(mask, -1, 0), tile), 0, -1)

    def apply_to_masks(
        self, masks: Sequence[np.ndarray] | Shaped[np.ndarray, "n h w *c"], tile: Tile, **_: Any
    ) -> Shaped[np.ndarray, "n output output *c"]:
        """Return the tile of each mask."""
        return np.stack([self.apply_to_mask(mask, tile) for mask in masks])

    def apply_to_stacks(
        self, stacks: Shaped[np.ndarray, "m n h w *c"], tile: Tile, **_: Any
    ) -> Shaped[np.ndarray, "m n output output *c"]:
        """Return the tile of each mask of each stack."""
        return np.stack([self.apply_to_masks(masks, tile) for masks in stacks])

    def apply_to_weights(
        self, weights: Shaped[np.ndarray, "h w"], tile: Tile, **_: Any
    ) -> Shaped[np.ndarray, "output output"]:
        """Return the tile of a weight map."""
        return self.tiles.cut_weights(weights, tile)

    def refuse(self, *_: Any, **__: Any) -> None:
        """Refuse boxes and keypoints, because an elastic deformation does not preserve them.

        Always raises NotImplementedError.
        """
        raise NotImplementedError(
            "RandomTileTransform deforms images and masks, but no boxes or keypoints. Pass their "
            "masks, and find the boxes in the masks of the tile."
        )
