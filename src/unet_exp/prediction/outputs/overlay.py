"""Pictures of images with their objects in colours."""

from itertools import count, takewhile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from unet_exp.files import replacing
from unet_exp.pictures.colours import coloured, picture
from unet_exp.prediction.segmented import Segmented

LONGEST = 4096
"""Pixels of the longer side; larger images are shrunk."""
ROWS = 1024
OPACITY = 0.35


class Overlay:
    """``NAME_overlay.png``: the first page with its objects.

    The other pages of a stack follow in ``NAME_overlay_001.png`` and so on.
    """

    def ending(self, image: Path) -> str:
        """Return the end of the first picture's name."""
        return "_overlay.png"

    def write(self, file: Path, found: Segmented) -> None:
        """Write a picture of each page, the first one last."""
        names = [picture_name(file, page) for page in range(len(found.images))]
        pages = [*zip(names, found.images, found.instances, strict=True)]
        for name, image, labels in reversed(pages):
            with replacing(file.with_name(name)) as part:
                Image.fromarray(overlay(image, labels)).save(part, "PNG")
        # Remove pictures of an earlier, longer stack. The folder may hold many files, so it is not
        # listed.
        further = (file.with_name(picture_name(file, i)) for i in count(max(1, len(found.images))))
        for path in reversed([*takewhile(Path.is_file, further)]):
            path.unlink()


def picture_name(file: Path, page: int) -> str:
    """Return the name of the picture of a page.

    >>> picture_name(Path("a_overlay.png"), 0), picture_name(Path("a_overlay.png"), 12)
    ('a_overlay.png', 'a_overlay_012.png')
    """
    return f"{file.stem}_{page:03d}{file.suffix}" if page else file.name


def overlay(image: Any, labels: Any) -> np.ndarray:
    """Draw labels (h, w) in colours over an image (c, h, w); both are read by slices.

    >>> overlay(np.zeros((1, 6, 8)), np.ones((6, 8), int)).shape
    (6, 8, 3)
    """
    step = -(-max(labels.shape) // LONGEST)
    labels, image = thinned(labels, step).astype(np.int64), thinned(image, step)
    return coloured(picture(image, *labels.shape), labels, OPACITY)


def thinned(array: Any, step: int) -> np.ndarray:
    """Read every ``step``-th row and column of an array (..., h, w), band by band.

    >>> thinned(np.arange(12).reshape(3, 4), 2)
    array([[ 0,  2], [ 8, 10]])
    """
    *leading, height, _ = array.shape
    everything = tuple(slice(None) for _ in leading)
    band = ROWS * step
    bands = (
        np.asarray(array[(*everything, slice(top, top + band), slice(None))])
        for top in range(0, height, band)
    )
    return np.concatenate([rows[..., ::step, ::step] for rows in bands], axis=-2)
