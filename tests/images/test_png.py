"""PNG files: the Orientation in their eXIf chunk, which Pillow writes."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from tests.images.stored_pages import read_pages

from unet_exp.images.png import exif_orientation

GREY = np.arange(20 * 31, dtype=np.uint16).reshape(20, 31).astype(np.uint8)


def png(exif: bytes | None = None) -> bytes:
    """Return a PNG with an eXIf chunk of these bytes behind its header."""
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, "PNG")
    content = file.getvalue()
    if exif is None:
        return content
    check = struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    return content[:33] + struct.pack(">I", len(exif)) + b"eXIf" + exif + check + content[33:]


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_orientation_is_read_in_both_orders_of_bytes(order: str) -> None:
    start = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}IHHHIHHI", 8, 1, 274, 3, 1, 6, 0, 0)
    assert exif_orientation(png(start + entry)) == 6
    assert exif_orientation(png()) == 1


@pytest.mark.parametrize(
    "exif", [b"", b"nonsense", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\x09\0"]
)
def test_an_invalid_chunk_changes_no_orientation(tmp_path: Path, exif: bytes) -> None:
    (tmp_path / "a.png").write_bytes(png(exif))
    assert_array_equal(read_pages(tmp_path / "a.png")[0, 0], GREY)
