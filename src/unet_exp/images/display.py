"""What stored numbers mean: which of black and white is 0, and where the first row lies.

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

MIN_IS_WHITE = ("auto", "invert", "keep")
#: Of TIFF's orientations: whether rows are columns, then rows run upwards, columns leftwards.
ORIENTATIONS = {
    1: (False, False, False), 2: (False, False, True), 3: (False, True, True),
    4: (False, True, False), 5: (True, False, False), 6: (True, False, True),
    7: (True, True, True), 8: (True, True, False),
}  # fmt: skip
#: Compressions whose decoders make red, green and blue of YCbCr.
DECODED = {COMPRESSION.OJPEG, COMPRESSION.JPEG, COMPRESSION.WEBP, COMPRESSION.JPEG2000}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Display:
    """How an image's stored numbers are shown.

    Attributes
    ----------
    transposed, upwards, leftwards
        Whether stored rows are columns; then, whether rows run upwards and columns leftwards.
    white
        Bits of a sample where 0 is white; 0 where it is black.
    writer
        The program whose files hold numbers rather than shades, "ImageJ" or "tifffile", or "".
    nodata
        Stored numbers that stand for no data, by the tag that GDAL writes.
    """

    transposed: bool = False
    upwards: bool = False
    leftwards: bool = False
    white: int = 0
    writer: str = ""
    nodata: tuple[float, ...] = ()

    def axes(self, axes: str) -> str:
        """Name the axes of the stored array as they are shown.

        >>> Display(transposed=True).axes("QYX")
        'QXY'
        """
        return axes.translate(str.maketrans("YX", "XY")) if self.transposed else axes

    def turn(self, stored: Shaped[np.ndarray, "_ _"]) -> Shaped[np.ndarray, "_ _"]:
        """Turn stored rows and columns as they are shown.

        >>> Display(transposed=True, leftwards=True).turn(np.array([[1, 2], [3, 4]])).tolist()
        [[3, 1], [4, 2]]
        """
        turned = stored.T if self.transposed else stored
        return turned[:: -1 if self.upwards else 1, :: -1 if self.leftwards else 1]

    def inverts(self, min_is_white: str) -> bool:
        """Decide whether grey values are inverted.

        "auto" inverts where 0 is white, but not what ImageJ wrote, whose inverting lookup table
        changes the display alone, nor tifffile's images of one bit, which are numpy's bools.
        """
        require_min_is_white(min_is_white)
        if not self.white:
            return False
        return min_is_white == "invert" or (min_is_white == "auto" and not self.keeps)

    @property
    def keeps(self) -> bool:
        """Whether the file's writer means its numbers, though it says that 0 is white."""
        return self.writer == "ImageJ" or (self.writer == "tifffile" and self.white == 1)

    def explain(self, path: Path, min_is_white: str) -> None:
        """Log once for each folder what was decided about files in which 0 is white."""
        if not self.white:
            return
        inverts = self.inverts(min_is_white)
        why = f", as {self.writer} means them" if self.keeps and min_is_white == "auto" else ""
        say_once(
            path.parent,
            "0 is white by the tag of the file: its numbers are read "
            f"{'inverted' if inverts else 'as they are stored'}{why}. To read them otherwise, "
            f"set {other_way(inverts)}.",
            path.name,
        )


def other_way(inverted: bool) -> str:
    """Name the option that reads a file in which 0 is white the other way round."""
    value = "keep" if inverted else "invert"
    return f"dataset.min_is_white={value} (in predict.py min_is_white={value})"


def require_min_is_white(value: str) -> None:
    """Refuse a way to read white zeros that is not known."""
    if value not in MIN_IS_WHITE:
        raise ValueError(
            f"dataset.min_is_white={value} is not known. Choose one of {', '.join(MIN_IS_WHITE)}."
        )


def display_of(path: Path, page: tifffile.TiffPage) -> Display:
    """Read how a page's numbers are shown.

    Raises
    ------
    ValueError
        It holds colours in a way that is not read.
    """
    photometric = page.photometric
    if photometric in (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB, PHOTOMETRIC.ITULAB) or (
        photometric == PHOTOMETRIC.YCBCR and page.compression not in DECODED
    ):
        raise ValueError(
            f"its colours are stored as {PHOTOMETRIC(photometric).name}, which is not read: "
            "convert it to RGB"
        )
    if photometric == PHOTOMETRIC.PALETTE:
        say_once(
            path.parent,
            "a TIFF with a palette: its stored numbers are read, not the colours that they are "
            "shown in. For colours, save it as RGB.",
            path.name,
        )
    bits = page.bitspersample if photometric == PHOTOMETRIC.MINISWHITE else 0
    writer = ""
    if page.is_imagej:
        writer = "ImageJ"
    elif page.is_shaped or "tifffile" in str(page.software):
        writer = "tifffile"
    display = turned(path, page.tags.valueof(274))
    return replace(display, white=bits, writer=writer, nodata=gdal_nodata(page))


def gdal_nodata(page: tifffile.TiffPage) -> tuple[float, ...]:
    """Return the number that a page's GDAL_NODATA tag declares; none where it makes no sense."""
    said = page.tags.valueof(42113)
    text = said.decode("latin-1") if isinstance(said, bytes) else str(said)
    try:
        return (float(text.strip(" \0")),)
    except ValueError:
        return ()


def turned(path: Path, orientation: Any) -> Display:
    """Return how an image of an Orientation is shown, and say that it is read so."""
    known = int(orientation) if isinstance(orientation, int) else 1
    turns = ORIENTATIONS.get(known, ORIENTATIONS[1])
    if any(turns):
        say_once(
            path.parent,
            f"its Orientation is {known}: it is read, and its results are written, as it is "
            "shown, with the first row on top.",
            path.name,
        )
    transposed, upwards, leftwards = turns
    return Display(transposed, upwards, leftwards)


def inverted(pixels: Shaped[np.ndarray, "..."], bits: int) -> Shaped[np.ndarray, "..."]:
    """Turn white into black: whole numbers of so many bits about their middle, others about 0.

    >>> inverted(np.array([0, 1, 255], np.uint8), 8).tolist()
    [255, 254, 0]
    """
    if pixels.dtype.kind == "u":
        return np.subtract(pixels.dtype.type(2**bits - 1), pixels)
    return ~pixels if pixels.dtype.kind == "i" else -pixels


def inverted_number(value: float, dtype: np.dtype[Any], bits: int) -> float:
    """Return what becomes of a number where `inverted` turns white into black.

    >>> inverted_number(0, np.dtype(np.uint8), 8), inverted_number(-9999, np.dtype(float), 64)
    (255, 9999)
    """
    return {"u": 2**bits - 1 - value, "i": -1 - value}.get(dtype.kind, -value)


_said: set[tuple[Path, str]] = set()


def say_once(folder: Path, message: str, name: str) -> None:
    """Log what was decided about a file, once for all those of its folder."""
    if (folder, message) not in _said:
        _said.add((folder, message))
        logger.warning("%s (and others like it in its folder): %s", folder / name, message)
