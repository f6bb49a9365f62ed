"""TIFFs whose chain of pages is broken: the bytes are changed by hand."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.images.tiff_chain import CutError, check_chain

IMAGE = np.arange(9 * 20 * 30, dtype=np.uint8).reshape(9, 20, 30)


def write(
    path: Path, pages: list[np.ndarray], description: bytes | None = None, **options: Any
) -> None:
    with tifffile.TiffWriter(path, **options) as file:
        for number, page in enumerate(pages):
            file.write(
                page, photometric="minisblack", metadata=None, contiguous=False,
                compression="zlib", description=None if number else description,
            )  # fmt: skip


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_pages_are_counted(tmp_path: Path, bigtiff: bool, byteorder: str) -> None:
    write(tmp_path / "a.tif", [*IMAGE], bigtiff=bigtiff, byteorder=byteorder)
    assert check_chain(tmp_path / "a.tif") == 9


@pytest.mark.parametrize("bigtiff", [False, True])
def test_a_file_without_its_last_bytes_is_cut(tmp_path: Path, bigtiff: bool) -> None:
    path = tmp_path / "a.tif"
    write(path, [*IMAGE], bigtiff=bigtiff)
    content = path.read_bytes()
    for share in (0.05, 0.3, 0.7):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(CutError, match="cut short"):
            check_chain(path)


def first_page(content: bytes) -> tuple[int, int]:
    """Where the first page's tags begin, and where the place of the next page stands."""
    start = struct.unpack("<I", content[4:8])[0]
    count = struct.unpack("<H", content[start : start + 2])[0]
    return start, start + 2 + 12 * count


def test_pages_that_run_in_a_circle_end(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", [IMAGE[0]])
    content = bytearray((tmp_path / "a.tif").read_bytes())
    start, following = first_page(content)
    content[following : following + 4] = struct.pack("<I", start)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tif .*after page 1 its pages begin again"):
        read_pages(tmp_path / "a.tif")


def test_a_description_beyond_the_end_takes_nothing_from_the_pixels(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", [IMAGE[0]], b"a description that is longer than four bytes")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    start, following = first_page(content)
    for place in range(start + 2, following, 12):
        if struct.unpack("<H", content[place : place + 2])[0] == 270:
            content[place + 8 : place + 12] = struct.pack("<I", 10**9)
    (tmp_path / "a.tif").write_bytes(content)
    assert_array_equal(read_pages(tmp_path / "a.tif"), IMAGE[:1, None])


@pytest.mark.parametrize("code", [258, 273, 279])
def test_a_tag_beyond_the_end_that_pixels_need_makes_a_cut_file(tmp_path: Path, code: int) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.dstack([IMAGE[0]] * 3), photometric="rgb", rowsperstrip=5)
    content = bytearray(path.read_bytes())
    start, following = first_page(content)
    for place in range(start + 2, following, 12):
        if struct.unpack("<H", content[place : place + 2])[0] == code:
            content[place + 8 : place + 12] = struct.pack("<I", 10**9)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.tif cannot be read \(cut short: tags of page 1"):
        read_pages(path)
