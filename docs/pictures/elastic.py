"""Section 3.1: three tiles of one image, and a grid that is deformed alike."""

import numpy as np
from drawing import cells, row

from unet_exp.augmentations.random_tile import RandomTile

image, _ = cells(192)
grid = np.zeros_like(image)
grid[::12] = grid[:, ::12] = 1
tiles = RandomTile(size=128, output_size=128, rotation=20, flip=False)
axes = row("image", "tile 1", "tile 2", "tile 3")
axes[0].imshow(image, cmap="gray")
for number, one in enumerate(axes[1:], start=1):
    tile = tiles.draw(*image.shape, np.random.default_rng(number))
    lines = np.clip(tiles.cut_image(grid, tile), 0, 1)
    shown = np.clip((tiles.cut_image(image, tile) + 1.5) / 4, 0, 1)
    one.imshow(np.stack([np.maximum(shown, lines), shown, shown], -1))
