"""JPEG, BMP and WebP files, decoded by Pillow after a check of the header."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from unet_exp.images.display import display_of_orientation
from unet_exp.images.limits import require_memory, require_plausible
from unet_exp.images.stored_image import StoredImage, require_series

JPEG, BMP, WEBP = (b"\xff\xd8\xff",), (b"BM",), (b"RIFF",)
"""The first bytes of each format."""
DECODED = {"1": "L", "L": "L", "LA": "RGBA", "RGBA": "RGBA"}
"""The mode to which each mode of Pillow is converted; all others become RGB."""


@contextmanager
def open_picture(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Read a JPEG, BMP or WebP; all pixels are read at once."""
    require_series(series, 1)
    with warnings.catch_warnings():
        # Its size is checked here.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path, formats=("JPEG", "BMP", "WEBP")) as image:
            mode = DECODED.get(image.mode, "RGB")
            declared = image.width * image.height * len(mode)
            require_plausible(declared, [path.stat().st_size])
            require_memory(declared, "it")
            pixels = np.atleast_3d(np.asarray(image.convert(mode)))
            orientation = image.getexif().get(274, 1)
    display = display_of_orientation(path, orientation)
    axes = display.axes("YXS")
    yield StoredImage(pixels, axes, alpha=mode == "RGBA", display=display)
