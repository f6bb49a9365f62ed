"""How an image's stored numbers are displayed: whether 0 is white, and where the first row lies.

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
"""Of TIFF's Orientation values: whether to transpose, then flip rows, then flip columns."""
DECODED = {COMPRESSION.OJPEG, COMPRESSION.JPEG, COMPRESSION.WEBP, COMPRESSION.JPEG2000}
"""Compressions whose decoders turn YCbCr into red, green and blue."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Display:
    """How an image's stored numbers are displayed.

    Attributes
    ----------
    transposed, upwards, leftwards
        Whether stored rows are columns; then whether rows run upwards, and columns leftwards.
    white_bits
        Bits per sample where 0 is white; 0 where 0 is black.
    writer
        "ImageJ" or "tifffile" where the file was written by one of them, else empty.
    nodata
        Stored numbers that mean no data, by GDAL's tag.
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
        """Flip rows and columns as they are displayed."""
        return pixels[..., :: -1 if self.upwards else 1, :: -1 if self.leftwards else 1]

    def turn(self, stored: Shaped[np.ndarray, "_ _"]) -> Shaped[np.ndarray, "_ _"]:
        """Turn a stored plane as it is displayed.

        >>> Display(transposed=True, leftwards=True).turn(np.array([[1, 2], [3, 4]])).tolist()
        [[3, 1], [4, 2]]
        """
        return self.flip(stored.T if self.transposed else stored)

    @property
    def keeps_numbers(self) -> bool:
        """Whether the file's writer means its numbers although the tag says that 0 is white.

        ImageJ's inverting lookup table changes the display alone, and tifffile writes images of
        one bit so, which are NumPy's bools.
        """
        return self.writer == "ImageJ" or (self.writer == "tifffile" and self.white_bits == 1)

    def inverts(self, min_is_white: str) -> bool:
        """Return whether grey values are inverted.

        "auto" inverts where 0 is white, except where `keeps_numbers`.
        """
        require_choice("dataset.min_is_white", min_is_white, MIN_IS_WHITE)
        wanted = min_is_white == "invert" or (min_is_white == "auto" and not self.keeps_numbers)
        return bool(self.white_bits) and wanted

    def warn_of_white_zeros(self, path: Path, min_is_white: str) -> None:
        """Log once per folder how files are read in which 0 is white."""
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
    """Return the option that reads a file in which 0 is white the other way round."""
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
            "a TIFF with a palette: its stored numbers are read, not the colours that they are "
            "shown in. For colours, save it as RGB.",
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
    """Return how an image with an Orientation tag is displayed; log it if the image is turned."""
    known = int(orientation) if isinstance(orientation, int) else 1
    transposed, upwards, leftwards = ORIENTATIONS.get(known, ORIENTATIONS[1])
    if transposed or upwards or leftwards:
        warn_once(
            path,
            f"its Orientation is {known}: it is read, and its results are written, as it is "
            "shown, with the first row on top.",
        )
    return Display(transposed, upwards, leftwards)


def inverted(pixels: Shaped[np.ndarray, "..."], bits: int) -> Shaped[np.ndarray, "..."]:
    """Exchange black and white: integers of ``bits`` bits about their middle, others about 0.

    >>> inverted(np.array([0, 1, 255], np.uint8), 8).tolist()
    [255, 254, 0]
    """
    if pixels.dtype.kind == "u":
        return np.subtract(pixels.dtype.type(2**bits - 1), pixels)
    return ~pixels if pixels.dtype.kind == "i" else -pixels


def invert_number(value: float, dtype: np.dtype[Any], bits: int) -> float:
    """Return what `inverted` makes of a number in an array of this type.

    >>> invert_number(0, np.dtype(np.uint8), 8), invert_number(-9999, np.dtype(float), 64)
    (255, 9999)
    """
    return {"u": 2**bits - 1 - value, "i": -1 - value}.get(dtype.kind, -value)


_warned: set[tuple[Path, str]] = set()


def warn_once(path: Path, message: str) -> None:
    """Log a warning about a file once for all files of its folder."""
    if (path.parent, message) not in _warned:
        _warned.add((path.parent, message))
        logger.warning("%s (and others like it in its folder): %s", path, message)
