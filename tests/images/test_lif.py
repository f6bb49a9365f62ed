"""LIF files, written here by Leica's description and read by liffile."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unet_exp.images.image_file import open_image
from unet_exp.images.selection import Selection

pytest.importorskip("liffile")
#: Two images: of three times and two channels, and a single plane.
MOVIE = np.random.default_rng(0).integers(0, 60_000, (3, 2, 20, 30), np.uint16)
PLANE = np.random.default_rng(1).integers(0, 255, (9, 8), np.uint8)


def element(name: str, block: str, pixels: np.ndarray, channels: int, times: int) -> str:
    """Describe an image whose channels follow each other, within each time."""
    height, width = pixels.shape[-2:]
    plane, item = pixels.itemsize * height * width, pixels.itemsize
    described = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{8 * item}" '
        'NameOfMeasuredQuantity="" Min="0" Max="1" Unit="" LUTName="Gray" IsLUTInverted="0" '
        f'BytesInc="{channel * plane}" BitInc="0"/>'
        for channel in range(channels)
    )
    axes = [
        (1, width, (width - 1) * 0.25e-6, item, "m"),
        (2, height, (height - 1) * 0.5e-6, item * width, "m"),
    ]
    if times > 1:
        axes.append((4, times, (times - 1) * 3.0, channels * plane, "s"))
    dimensions = "".join(
        f'<DimensionDescription DimID="{number}" NumberOfElements="{count}" Origin="0" '
        f'Length="{length}" Unit="{unit}" BitInc="0" BytesInc="{step}"/>'
        for number, count, length, step, unit in axes
    )
    return (
        f'<Element Name="{name}" Visibility="1"><Data><Image><ImageDescription><Channels>'
        f"{described}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription></Image>"
        f'</Data><Memory Size="{pixels.nbytes}" MemoryBlockID="{block}"/></Element>'
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    images = {"Movie": ("MemBlock_1", MOVIE, 2, 3), "Plane": ("MemBlock_2", PLANE, 1, 1)}
    inner = "".join(element(name, *image) for name, image in images.items())
    xml = (
        '<LMSDataContainerHeader Version="2"><Element Name="a" Visibility="1"><Memory Size="0" '
        f'MemoryBlockID="MemBlock_0"/><Children>{inner}</Children></Element>'
        "</LMSDataContainerHeader>"
    ).encode("utf-16-le")
    data = struct.pack("<IIBI", 0x70, 5 + len(xml), 0x2A, len(xml) // 2) + xml
    for block, pixels in [("MemBlock_0", b""), ("MemBlock_1", MOVIE), ("MemBlock_2", PLANE)]:
        content, name = bytes(pixels), block.encode("utf-16-le")
        data += struct.pack(
            "<IIBQBI", 0x70, 14 + len(name), 0x2A, len(content), 0x2A, len(name) // 2
        ) + name + content  # fmt: skip
    (tmp_path / "a.lif").write_bytes(data)
    return tmp_path / "a.lif"


def test_images_axes_and_scale(path: Path) -> None:
    for series in (None, 0):
        with open_image(path, selection=Selection(series=series)) as file:
            assert_array_equal(file.stack(), MOVIE)
            assert (file.axes, file.shape) == ("T", (3,))
            steps = file.tags.steps()
    assert [steps[axis][0] for axis in "xyt"] == pytest.approx([0.25, 0.5, 3.0])
    with open_image(path, selection=Selection(series=1)) as file:
        assert_array_equal(file.stack(), PLANE[None, None])


def test_an_image_that_is_not_there_and_a_damaged_file_are_named(path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"a\.lif is refused: series=2 is not in it: it holds 2"),
        open_image(path, selection=Selection(series=2)),
    ):
        pass
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"a\.lif cannot be read"), open_image(path):
        pass
