"""How the stored values of an image are displayed: the orientation, and whether 0 is white.

TIFF 6.0, tags 262 (PhotometricInterpretation) and 274 (Orientation).
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from jaxtyping import Shaped
from tifffile import COMPRESSION, PHOTOMETRIC

from unet_exp.numbers import parse_number
from unet_exp.ranges import require_choice

MIN_IS_WHITE = ("auto", "invert", "keep")
ORIENTATIONS = {
    1: (False, False, False), 2: (False, False, True), 3: (False, True, True),
    4: (False, True, False), 5: (True, False, False), 6: (True, False, True),
    7: (True, True, True), 8: (True, True, False),
}  # fmt: skip
"""For each Orientation: whether to transpose, then flip rows, then flip columns."""
DECODED = {COMPRESSION.OJPEG, COMPRESSION.JPEG, COMPRESSION.WEBP, COMPRESSION.JPEG2000}
"""Compressions whose decoders turn YCbCr into red, green and blue."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Display:
    """How an image's stored numbers are displayed.

    Attributes
    ----------
    transposed, upwards, leftwards
        Whether to transpose the stored pixels, then to flip rows, and to flip columns.
    white_bits
        Bits per sample if 0 is white; 0 if 0 is black.
    writer
        "ImageJ" or "tifffile" if one of them wrote the file, else empty.
    nodata
        Stored numbers that mean no data, from GDAL's tag.
    """

    transposed: bool = False
    upwards: bool = False
    leftwards: bool = False
    white_bits: int = 0
    writer: str = ""
    nodata: tuple[float, ...] = ()

    def axes(self, stored: str) -> str:
        """Return the displayed names of the stored axes.

        >>> Display(transposed=True).axes("QYX")
        'QXY'
        """
        return stored.translate(str.maketrans("YX", "XY")) if self.transposed else stored

    def flip(self, pixels: Shaped[np.ndarray, "*c h w"]) -> Shaped[np.ndarray, "*c h w"]:
        """Return pixels with rows and columns in the displayed order."""
        return pixels[..., :: -1 if self.upwards else 1, :: -1 if self.leftwards else 1]

    def turn(self, stored: Shaped[np.ndarray, "_ _"]) -> Shaped[np.ndarray, "_ _"]:
        """Return a stored plane in the displayed orientation.

        >>> Display(transposed=True, leftwards=True).turn(np.array([[1, 2], [3, 4]])).tolist()
        [[3, 1], [4, 2]]
        """
        return self.flip(stored.T if self.transposed else stored)

    @property
    def keeps_numbers(self) -> bool:
        """Whether the stored numbers are right although the tag says that 0 is white.

        ImageJ's inverting lookup table changes only the display. tifffile writes this tag for
        boolean arrays.
        """
        return self.writer == "ImageJ" or (self.writer == "tifffile" and self.white_bits == 1)

    def inverts(self, min_is_white: str) -> bool:
        """Return whether to invert grey values; "auto" does so if not `keeps_numbers`."""
        require_choice("dataset.min_is_white", min_is_white, MIN_IS_WHITE)
        wanted = min_is_white == "invert" or (min_is_white == "auto" and not self.keeps_numbers)
        return bool(self.white_bits) and wanted

    def warn_of_white_zeros(self, path: Path, min_is_white: str) -> None:
        """Log once per folder how files in which 0 is white are read."""
        if not self.white_bits:
            return
        inverts = self.inverts(min_is_white)
        keeps = self.keeps_numbers and min_is_white == "auto"
        why = f", as {self.writer} means them" if keeps else ""
        warn_once(
            path,
            "0 is white by the tag of the file: its numbers are read "
            f"{'inverted' if inverts else 'as they are stored'}{why}. To read them otherwise, "
            f"set {opposite_option(inverts)}.",
        )


def opposite_option(inverts: bool) -> str:
    """Return the option that reads files in which 0 is white in the opposite way."""
    value = "keep" if inverts else "invert"
    return f"dataset.min_is_white={value} (in predict.py min_is_white={value})"


def read_display(path: Path, page: tifffile.TiffPage) -> Display:
    """Read how a page of a TIFF is displayed."""
    photometric = page.photometric
    if photometric in (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB, PHOTOMETRIC.ITULAB) or (
        photometric == PHOTOMETRIC.YCBCR and page.compression not in DECODED
    ):
        raise ValueError(
            f"its colours are stored as {PHOTOMETRIC(photometric).name}, which is not read: "
            "convert it to RGB"
        )
    if photometric == PHOTOMETRIC.PALETTE:
        warn_once(
            path,
            "a TIFF with a palette: its stored numbers are read, not their colours. For colours, "
            "save it as RGB.",
        )
    writer = ""
    if page.is_imagej:
        writer = "ImageJ"
    elif page.is_shaped or "tifffile" in str(page.software):
        writer = "tifffile"
    return replace(
        display_of_orientation(path, page.tags.valueof(274)),
        white_bits=page.bitspersample if photometric == PHOTOMETRIC.MINISWHITE else 0,
        writer=writer,
        nodata=_gdal_nodata(page),
    )


def _gdal_nodata(page: tifffile.TiffPage) -> tuple[float, ...]:
    """Return the number in a page's GDAL_NODATA tag, if it has one."""
    content = page.tags.valueof(42113)
    text = content.decode("latin-1") if isinstance(content, bytes) else str(content)
    number = parse_number(text.strip(" \0"), finite=False)
    return () if number is None else (number,)


def display_of_orientation(path: Path, orientation: Any) -> Display:
    """Return the display of an Orientation tag, and log it if the image is rotated or flipped."""
    known = int(orientation) if isinstance(orientation, int) else 1
    transposed, upwards, leftwards = ORIENTATIONS.get(known, ORIENTATIONS[1])
    if transposed or upwards or leftwards:
        warn_once(
            path,
            f"its Orientation is {known}: it is read, and its results are written, in the "
            "displayed orientation.",
        )
    return Display(transposed, upwards, leftwards)


def inverted(pixels: Shaped[np.ndarray, "..."], bits: int) -> Shaped[np.ndarray, "..."]:
    """Exchange black and white of unsigned integers of ``bits`` bits; negate other numbers.

    >>> inverted(np.array([0, 1, 255], np.uint8), 8).tolist()
    [255, 254, 0]
    """
    if pixels.dtype.kind == "u":
        return np.subtract(pixels.dtype.type(2**bits - 1), pixels)
    return ~pixels if pixels.dtype.kind == "i" else -pixels


def invert_number(value: float, dtype: np.dtype[Any], bits: int) -> float:
    """Return the result of `inverted` for a number in an array of this type.

    >>> invert_number(0, np.dtype(np.uint8), 8), invert_number(-9999, np.dtype(float), 64)
    (255, 9999)
    """
    return {"u": 2**bits - 1 - value, "i": -1 - value}.get(dtype.kind, -value)


_warned: set[tuple[Path, str]] = set()


def warn_once(path: Path, message: str) -> None:
    """Log a warning about a file, but only once per folder."""
    if (path.parent, message) not in _warned:
        _warned.add((path.parent, message))
        logger.warning("%s (and others like it in its folder): %s", path, message)
