"""PNG files, decoded to red, green, blue after a check of the header."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from unet_exp.images.display import display_of_orientation
from unet_exp.images.limits import require_memory, require_plausible
from unet_exp.images.stored_image import StoredImage, require_series

SIGNATURES = (b"\x89PNG",)
GREY_ALPHA = 4
SAMPLES = {0: 1, 2: 3, 3: 4, GREY_ALPHA: 4, 6: 4}
"""Largest number of channels that OpenCV decodes, by colour type of the header."""


@contextmanager
def open_png(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Read a PNG; all pixels are read at once."""
    require_series(series, 1)
    data = path.read_bytes()
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise ValueError("its header is missing")
    width, height, bits, colour_type = struct.unpack(">IIBB", data[16:26])
    declared = width * height * SAMPLES.get(colour_type, 4) * max(1, bits // 8)
    require_plausible(declared, [len(data)])
    require_memory(declared, "it")
    if b"IEND" not in data:
        raise ValueError("the end of the picture is missing")
    if width * height > 2**30:
        raise ValueError(f"OpenCV decodes no PNG of {width} x {height} pixels: save it as TIFF")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("OpenCV cannot decode it")
    picture = np.atleast_3d(picture)
    # OpenCV returns blue, green, red, alpha; grey with alpha as four channels, grey as one.
    order = [0, 3] if colour_type == GREY_ALPHA else [2, 1, 0, 3][: picture.shape[2]]
    channels = np.moveaxis(picture if picture.shape[2] == 1 else picture[..., order], 2, 0)
    display = display_of_orientation(path, exif_orientation(data))
    alpha = len(channels) in (2, 4)
    yield StoredImage(channels, display.axes("SYX"), alpha, display=display)


def exif_orientation(data: bytes) -> Any:
    """Return the Orientation in a PNG's eXIf chunk; 1 without one.

    >>> exif_orientation(b"no picture")
    1
    """
    try:
        exif = Image.Exif()
        exif.load(PngImageFile(BytesIO(data)).info["exif"])
        return exif.get(274, 1)
    except Exception:  # Pillow raises any exception for an invalid chunk
        return 1
