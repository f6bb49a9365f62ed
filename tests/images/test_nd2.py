"""ND2 files, written here as NIS-Elements lays them out, and read by the package nd2.

A file is a list of chunks: a header, a name, data. The last chunk is a map from names to places.
The facts of an image are nested values, each with its type, its name in UTF-16 and its content.
"""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unet_exp.images.image_file import open_image
from unet_exp.images.selection import Selection

pytest.importorskip("nd2")
RANDOM = np.random.default_rng(0)
#: Times, positions, depths, rows, columns, channels.
MOVIE = RANDOM.integers(0, 60_000, (3, 2, 4, 20, 30, 2), np.uint16)
COLOURS = RANDOM.integers(0, 255, (20, 30, 3), np.uint8)
TIMES = {"uiCount": 3, "dStart": 0.0, "dPeriod": 1e3, "dDuration": 3e3}
POINTS = {"Points": {f"i{number}": {"dPosX": 0.0, "dPosY": 0.0} for number in range(2)}}
DEPTHS = {"uiCount": 4, "dZLow": 0.0, "dZHigh": 6.0, "dZStep": 2.0}
LOOPS = [(1, TIMES), (2, POINTS), (4, DEPTHS)]
KINDS = {bool: (1, "?"), int: (3, "I"), float: (6, "d")}


def values(facts: dict[str, Any]) -> bytes:
    written = b""
    for name, value in facts.items():
        label = f"{name}\0".encode("utf-16-le")
        if isinstance(value, dict):
            inner, head = values(value), bytes([11, len(name) + 1]) + label
            length = len(head) + 12 + len(inner)
            written += head + struct.pack("<IQ", len(value), length) + inner + bytes(8 * len(value))
        else:
            kind, letter = KINDS[type(value)]
            written += bytes([kind, len(name) + 1]) + label + struct.pack(f"<{letter}", value)
    return written


def experiment(loops: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    (kind, parameters), *inner = loops
    following = {"ppNextLevelEx": {"i0": experiment(inner)}} if inner else {}
    return {"eType": kind, "uLoopPars": parameters, **following}


def write_nd2(path: Path, frames: np.ndarray, loops: list[Any], channels: int) -> Path:
    """Write frames (n, h, w, components)."""
    count, height, width, components = frames.shape
    bits = 8 * frames.itemsize
    plane = {"uiCompCount": components // channels, "pFluorescentProbe": {"m_uiColor": 0}}
    planes = {f"a{number}": plane for number in range(channels)}
    facts = {
        "ImageAttributesLV!": {"SLxImageAttributes": {
            "uiWidth": width, "uiWidthBytes": width * components * frames.itemsize,
            "uiHeight": height, "uiComp": components, "uiBpcInMemory": bits,
            "uiBpcSignificant": bits, "uiSequenceCount": count, "eCompression": 2,
        }},
        "ImageMetadataSeqLV|0!": {"SLxPictureMetadata": {
            "bCalibrated": True, "dCalibration": 0.25,
            "sPicturePlanes": {"uiCount": channels, "sPlaneNew": planes},
        }},
    }  # fmt: skip
    if loops:
        facts["ImageMetadataLV!"] = {"SLxExperiment": experiment(loops)}
    chunks = {name: values(fact) for name, fact in facts.items()}
    chunks |= {f"ImageDataSeq|{n}!": bytes(8) + bytes(frame) for n, frame in enumerate(frames)}
    signature = b"ND2 FILE SIGNATURE CHUNK NAME01!"
    data = struct.pack("<IIQ", 0x0ABECEDA, 32, 64) + signature + b"Ver3.0".ljust(64, b"\0")
    places = b""
    for name, content in chunks.items():
        data += bytes(-len(data) % 4096)
        places += name.encode() + struct.pack("<QQ", len(data), len(content))
        data += struct.pack("<IIQ", 0x0ABECEDA, 4072, len(content))
        data += name.encode().ljust(4072, b"\0") + content
    data += bytes(-len(data) % 4096)
    places += (end := b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", len(data)))
    head = struct.pack("<IIQ", 0x0ABECEDA, 32, len(places)) + b"ND2 FILEMAP SIGNATURE NAME 0001!"
    path.write_bytes(data + head + places.ljust(len(places) + 64, b"\0") + end)
    return path


def test_positions_times_depths_channels_and_scale(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", MOVIE.reshape(-1, 20, 30, 2), LOOPS, 2)
    for position in (None, 0, 1):
        with open_image(path, selection=Selection(series=position)) as file:
            expected = MOVIE[:, position or 0].transpose(0, 1, 4, 2, 3)
            assert_array_equal(file.stack(), expected.reshape(12, 2, 20, 30))
            assert (file.axes, file.shape) == ("TZ", (3, 4))
            steps = file.tags.steps()
            assert [steps[axis] for axis in "xyz"] == [(0.25, "micrometer")] * 2 + [
                (2.0, "micrometer")
            ]
            part = file.pages[6][1:2, 3:9, 4:30]
            assert_array_equal(part, expected[1, 2, 1:2, 3:9, 4:])
    with (
        pytest.raises(ValueError, match=r"a\.nd2 is refused: series=2 is not in it: it holds 2"),
        open_image(path, selection=Selection(series=2)),
    ):
        pass


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", COLOURS[None, :, :, ::-1], [], 1)
    with open_image(path, selection=Selection(channels="rgb")) as file:
        assert_array_equal(file.stack()[0].transpose(1, 2, 0), COLOURS)


def test_a_stopped_recording_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_nd2(tmp_path / "a.nd2", MOVIE[0, 0, :3], [(4, DEPTHS)], 2)
    with open_image(path) as file:
        assert_array_equal(file.stack()[:3], MOVIE[0, 0, :3].transpose(0, 3, 1, 2))
        assert not file.stack()[3].any()
    assert "a.nd2 holds 3 of its 4 planes, because the recording was stopped" in caplog.text


def test_a_damaged_file_and_one_that_claims_too_much_are_named(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", COLOURS[None], [], 1)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    with pytest.raises(ValueError, match=r"a\.nd2 cannot be read"), open_image(path):
        pass
    height = "uiHeight\0".encode("utf-16-le")
    path.write_bytes(
        content.replace(height + struct.pack("<I", 20), height + struct.pack("<I", 2**31))
    )
    with pytest.raises(ValueError, match=r"a\.nd2 is refused: it claims"), open_image(path):
        pass
