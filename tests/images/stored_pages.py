"""Read the numbers that an image file stores, to compare them with what a test wrote."""

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from unet_exp.images.image_file import open_whole


def read_pages(
    path: Path, channels: int | None = None, pages: int | None = None, min_is_white: str = "auto"
) -> Shaped[np.ndarray, "n c h w"]:
    """Read all pages of a file with their stored numbers, see `open_image`."""
    with open_whole(path, channels, pages, min_is_white) as file:
        return file.stack()
