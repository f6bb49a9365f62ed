"""Which pages of a TIFF make one image. Each file is written by tifffile, with known values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.images.image_file import open_image

STACK = np.random.default_rng(0).integers(0, 255, (5, 64, 72)).astype(np.uint8)
ODD = [
    {"compression": "zlib"},
    {"compression": "zlib", "predictor": True},
    {"tile": (16, 16)},
    {"rowsperstrip": 5},
]


def write(path: Path, odd: dict[str, Any], first: dict[str, Any], **options: Any) -> None:
    """Write pages one by one, the third in another way."""
    with tifffile.TiffWriter(path, **options) as file:
        for number, page in enumerate(STACK):
            said = {"metadata": None, **(first if number == 0 else {})} if first else {}
            how = odd if number == 2 else {}
            file.write(page, contiguous=False, **{"photometric": "minisblack", **said, **how})


@pytest.mark.parametrize("in_memory", [2**27, 0])
@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize(
    ("first", "options", "axes"),
    [
        ({"metadata": None}, {}, "I"),
        ({}, {}, "I"),
        ({}, {"ome": True}, "I"),
        ({"description": b'{"shape": [5, 64, 72], "axes": "TYX"}'}, {}, "T"),
        ({"description": b"ImageJ=1.54f\nimages=5\nframes=5\n"}, {}, "T"),
        (
            {
                "description": b'<OME><Image><Pixels DimensionOrder="XYZCT" Type="uint8" '
                b'SizeX="72" SizeY="64" SizeZ="1" SizeC="1" SizeT="5"><TiffData/></Pixels>'
                b"</Image></OME>"
            },
            {},
            "T",
        ),
    ],
    ids=["plain", "shaped", "OME images", "shaped stack", "ImageJ", "OME stack"],
)
def test_a_page_that_is_stored_otherwise_stays_in_its_place(
    tmp_path: Path, odd: dict, first: dict, options: dict, axes: str, in_memory: int
) -> None:
    write(tmp_path / "a.tif", odd, first, **options)
    with open_image(tmp_path / "a.tif", in_memory=in_memory) as opened:
        # A layout that tifffile's reader of the format does not know costs the axis its name.
        assert opened.axes in (axes, "I")
        assert opened.shape == (5,)
        for page, expected in zip(opened.pages, STACK, strict=True):
            assert_array_equal(page[:, 3:50, 7:], expected[None, 3:50, 7:])


@pytest.mark.parametrize("first", [{"metadata": None}, {}], ids=["plain", "shaped"])
@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"photometric": "miniswhite"}, "its pages differ in .*PhotometricInterpretation"),
        ({"extratags": [(274, 3, 1, 6, True)]}, "its pages differ in Orientation"),
    ],
)
def test_a_page_that_is_shown_otherwise_is_refused(
    tmp_path: Path, odd: dict, reason: str, first: dict
) -> None:
    write(tmp_path / "a.tif", odd, first)
    with pytest.raises(ValueError, match=rf"a\.tif cannot be read \({reason}"):
        read_pages(tmp_path / "a.tif")


@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize("odd", [STACK[2].astype(np.uint16), np.dstack([STACK[2]] * 3)])
def test_a_page_of_the_same_size_and_another_type_is_refused(
    tmp_path: Path, place: int, odd: np.ndarray
) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for number, page in enumerate(STACK):
            file.write(odd if number == place else page, contiguous=False, metadata=None)
    with pytest.raises(ValueError, match="its pages of one size differ in type"):
        read_pages(tmp_path / "a.tif")


def test_images_of_several_pages_are_read_in_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif", ome=True) as file:
        file.write(STACK[:3], photometric="minisblack", metadata={"axes": "TYX"})
        file.write(STACK[3:], photometric="minisblack", metadata={"axes": "TYX"})
    assert_array_equal(read_pages(tmp_path / "a.tif")[:, 0], STACK)
    assert "holds 2 images of the same size and type" in caplog.text


def test_one_page_that_stands_for_many_is_joined_with_the_next(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(STACK[:3], photometric="minisblack")
        file.write(STACK[3:], photometric="minisblack", compression="zlib")
    for in_memory in (2**27, 0):
        with open_image(tmp_path / "a.tif", in_memory=in_memory) as opened:
            assert_array_equal([page[:, :, :][0] for page in opened.pages], STACK)


def test_pages_of_a_stack_may_be_channels(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", ODD[0], {"metadata": None})
    assert_array_equal(read_pages(tmp_path / "a.tif", channels=5), STACK[None])


@pytest.mark.parametrize("ome", [True, False])
@pytest.mark.parametrize(
    "before",
    [
        [np.zeros((60, 60, 3), np.uint8)],  # more samples than the image has
        [STACK[0, :40, :40]] * 6,  # more pages
        [np.zeros((3, 50, 50), np.float64)],  # more bytes
    ],
    ids=["colours", "pages", "bytes"],
)
def test_the_largest_image_is_that_of_most_pixels_in_a_page(
    tmp_path: Path, before: list[np.ndarray], ome: bool
) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif", ome=ome) as file:
        for small in before:
            colours = small.shape[-1] == 3
            file.write(small, photometric="rgb" if colours else "minisblack")
        file.write(STACK[0], photometric="minisblack")
    assert_array_equal(read_pages(tmp_path / "a.tif"), STACK[:1, None])
