"""Files of a few hundred bytes that claim more pixels than fit into memory."""

import json
import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from unet_exp.images.image_file import open_image
from unet_exp.images.limits import VARIABLE, require_memory, require_plausible


def zarr_of(path: Path, shape: list[int], chunks: list[int]) -> None:
    path.mkdir()
    said = {"zarr_format": 2, "shape": shape, "chunks": chunks, "dtype": "|u1", "order": "C"}
    said |= {"compressor": None, "fill_value": 0, "filters": None}
    (path / ".zarray").write_text(json.dumps(said))


def png_of(path: Path, width: int, height: int, bits: int, colours: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def npy_of(path: Path, shape: tuple[int, ...]) -> None:
    with path.open("wb") as file:
        said = {"shape": shape, "fortran_order": False, "descr": "|u1"}
        np.lib.format.write_array_header_1_0(file, said)
        file.write(b"0" * 100)


def tiff_of(path: Path, side: int) -> None:
    tifffile.imwrite(path, np.zeros((9, 9), np.uint8), metadata=None, compression="zlib")
    content = bytearray(path.read_bytes())
    start = struct.unpack("<I", content[4:8])[0]
    count = struct.unpack("<H", content[start : start + 2])[0]
    for place in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack("<H", content[place : place + 2])[0] in (256, 257, 278):
            content[place + 2 : place + 4] = struct.pack("<H", 4)
            content[place + 8 : place + 12] = struct.pack("<I", side)
    path.write_bytes(content)


BOMBS = {
    "wide.zarr": lambda path: zarr_of(path, [2**30, 2**30], [1024, 1024]),
    "beyond.zarr": lambda path: zarr_of(path, [2**70, 5], [5, 5]),
    "pages.zarr": lambda path: zarr_of(path, [2**20, 1, 1], [1, 1, 1]),
    "few_bytes.zarr": lambda path: zarr_of(path, [10**5, 1, 1], [1, 1, 1]),
    "chunk.zarr": lambda path: zarr_of(path, [2**14, 2**13], [2**40, 2**40]),
    "wide.png": lambda path: png_of(path, 2**31 - 1, 2**31 - 1, 8, 0),
    "deep.png": lambda path: png_of(path, 30_000, 30_000, 16, 6),
    "wide.npy": lambda path: npy_of(path, (2**32, 2**32)),
    "over.npy": lambda path: npy_of(path, (2**62, 4, 4)),
    "below.npy": lambda path: npy_of(path, (-5, 4)),
    "wide.tif": lambda path: tiff_of(path, 2**30),
}


@pytest.mark.parametrize("name", BOMBS)
def test_the_size_that_a_file_claims_is_checked_first(tmp_path: Path, name: str) -> None:
    BOMBS[name](tmp_path / name)
    begin = time.monotonic()
    told = f"{name} (is refused|cannot be read)"
    with pytest.raises(ValueError, match=told), open_image(tmp_path / name):
        pass
    assert time.monotonic() - begin < 5


def test_black_images_that_are_packed_tightly_are_read(tmp_path: Path) -> None:
    black = np.zeros((3000, 4000), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", black, compression="zlib")
    assert (tmp_path / "a.tif").stat().st_size * 500 < black.nbytes
    with open_image(tmp_path / "a.tif", in_memory=0) as opened:
        assert opened.pages[0].shape == (1, 3000, 4000)


def test_the_limits_can_be_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=f"{VARIABLE}=64"):
        require_plausible(2**36, [1000])
    monkeypatch.setenv(VARIABLE, "64")
    require_plausible(2**36, [1000])
    with pytest.raises(ValueError, match="allows 64 GiB"):
        require_plausible(2**37, [1000])
    monkeypatch.setenv(VARIABLE, "0.5")
    with pytest.raises(ValueError, match=r"0\.5 GiB may be taken"):
        require_memory(2**30, "it")
    monkeypatch.setenv(VARIABLE, "much")
    with pytest.raises(ValueError, match=f"{VARIABLE}=much is not a number"):
        require_plausible(2**36, [1000])


def test_pipes_and_folders_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.tif").mkdir()
    for name in ("a.png", "b.tif"):
        with pytest.raises(ValueError, match=f"{name} cannot be read"), open_image(tmp_path / name):
            pass
