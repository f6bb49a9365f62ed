"""Check the chain of pages in a TIFF (TIFF 6.0 and BigTIFF).

If the chain is broken, tifffile only logs it and returns the pages before, so a file that is cut
short would have fewer pages.
"""

import struct
from pathlib import Path

import numpy as np

from unet_exp.images.limits import MOST_PAGES, TooLargeError

NEEDED = (
    254, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325, 330,
    338, 339, 347, 530,
)  # fmt: skip
"""Tags that are needed to read the pixels."""
NDPI = 65420
"""Tag of Hamamatsu's files, whose offsets have more bits than TIFF's."""
#: Bytes of a value of each type; 0 for unknown types.
TYPE_BYTES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8])


class CutError(ValueError):
    """The file lacks pages that it should hold."""


def check_chain(path: Path) -> int:
    """Follow the chain of pages and return their number.

    Raises CutError if a page or a needed tag lies beyond the end of the file, and ValueError if the
    chain returns to an earlier page or has more than ``MOST_PAGES`` pages.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        order = "<" if head[:2] == b"II" else ">"
        is_big = struct.unpack(f"{order}H", head[2:4])[0] == 43
        word = "u8" if is_big else "u4"
        offset = np.dtype(f"{order}{word}")
        number_of_tags = np.dtype(f"{order}{'u8' if is_big else 'u2'}")
        fields = [("code", "u2"), ("type", "u2"), ("count", word), ("value", word)]
        tag = np.dtype([(name, f"{order}{kind}") for name, kind in fields])

        def read(dtype: np.dtype, count: int = 1) -> np.ndarray:
            content = file.read(dtype.itemsize * count) if count <= length else b""
            if len(content) < dtype.itemsize * count:
                raise CutError(f"cut short after page {len(seen)}")
            return np.frombuffer(content, dtype)

        seen: set[int] = set()
        file.seek(8 if is_big else 4)
        while at := int(read(offset)[0]):
            if at in seen:
                raise ValueError(f"damaged: after page {len(seen)} its pages begin again")
            if len(seen) == MOST_PAGES:
                raise TooLargeError(f"it has more than {MOST_PAGES:,} pages. Cut it into several")
            file.seek(at)
            tags = read(tag, int(read(number_of_tags)[0]))
            if NDPI in tags["code"]:
                return len(seen)
            seen.add(at)
            kinds = np.where(tags["type"] < len(TYPE_BYTES), tags["type"], 0)
            # Floats do not overflow.
            needed = TYPE_BYTES[kinds] * tags["count"].astype(float)
            ends = np.where(needed > offset.itemsize, tags["value"] + needed, 0)
            if (ends[np.isin(tags["code"], NEEDED)] > length).any():
                raise CutError(f"cut short: tags of page {len(seen)} lie beyond its end")
    return len(seen)
