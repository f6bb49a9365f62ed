"""Which pages of a TIFF are read, whatever its metadata say."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.images.image_file import open_image
from unet_exp.images.tiff_series import KINDS

IMAGE = np.arange(9 * 20 * 30, dtype=np.uint8).reshape(9, 20, 30)


def write(path: Path, pages: list[np.ndarray], description: bytes | None = None) -> None:
    with tifffile.TiffWriter(path) as file:
        for number, page in enumerate(pages):
            file.write(
                page, photometric="minisblack", metadata=None, contiguous=False,
                compression="zlib", description=None if number else description,
            )  # fmt: skip


@pytest.mark.parametrize("flagged", [True, False])
def test_a_thumbnail_in_front_is_not_the_image(
    tmp_path: Path, flagged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(IMAGE[0, ::4, ::4], metadata=None, subfiletype=int(flagged))
        file.write(IMAGE[1], metadata=None)
    assert_array_equal(read_pages(tmp_path / "a.tif"), IMAGE[1:2, None])
    assert "of shape (5, 8); they are not read. The largest is, of shape (20, 30)" in caplog.text


def test_a_large_preview_that_is_flagged_is_not_the_image(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        preview = np.zeros((20, 30, 3), np.uint8)
        file.write(preview, metadata=None, subfiletype=1, photometric="rgb")
        file.write(IMAGE[1], metadata=None)
    assert_array_equal(read_pages(tmp_path / "a.tif"), IMAGE[1:2, None])


def test_pages_of_another_size_in_the_middle_are_left_out_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages = [*IMAGE[:4], IMAGE[4, :10], *IMAGE[5:]]
    write(tmp_path / "a.tif", pages)
    assert_array_equal(read_pages(tmp_path / "a.tif"), np.delete(IMAGE, 4, 0)[:, None])
    assert "shape (10, 30); they are not read" in caplog.text


@pytest.mark.parametrize(
    "description",
    [
        b"ImageJ=1.54f\nimages=many\nslices=-3\n",
        b"ImageJ=1.54f\nimages=2\nslices=2\n",
        b"ImageJ=1.54f\nimages=3\nslices=7\n",
        b"ImageJ=\nslices=0\nframes=x\nunit=\xb5m\nspacing=nan\n",
        b'{"shape": [5, 20, 30',
        b'{"shape": "abc"}',
        b'{"shape": [2, 20, 30], "axes": "ZYX"}',
        b"<OME><Image></OME>",
        b"<OME>\xb5<</OME>",
        b"\xff\xfe\x00nothing at all",
        b"SCIFIO=\nimages=0\n",
        b'{"shape": [3, 20, 30], "axes": "ZZZ"}',
        b'{"shape": []}',
        b'<?xml version="1.0"?><scn><bad></scn>',
        b"<PerkinElmer-QPI-ImageDescription>",
        b"Aperio Image Library\r\nx",
        b'<DataObject ObjectType="DPUfsImport"><x></DataObject>',
        b"SI.VERSION_MAJOR = 5\nscanimage.SI x",
    ],
)
def test_descriptions_that_make_no_sense_keep_no_page_from_being_read(
    tmp_path: Path, description: bytes
) -> None:
    write(tmp_path / "a.tif", [*IMAGE[:3]], description)
    assert_array_equal(read_pages(tmp_path / "a.tif"), IMAGE[:3, None])


@pytest.mark.parametrize(
    "description",
    [
        b"ImageJ=1.54f\nimages=1000000\nslices=1000000\n",
        b"ImageJ=1.54f\nimages=5\nframes=5\n",
        b'{"shape": [5, 20, 30]}',
        b'{"shape": [1000000, 1000000, 20, 30]}',
    ],
)
def test_pages_that_are_said_to_be_there_and_are_not_make_a_cut_file(
    tmp_path: Path, description: bytes
) -> None:
    write(tmp_path / "a.tif", [*IMAGE[:3]], description)
    with pytest.raises(ValueError, match=r"a\.tif cannot be read \(cut short"):
        read_pages(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "tag",
    [
        (33628, 4, 3, (1, 2, 3)),  # MetaMorph
        (33445, 3, 1, 1),  # MD Gel
        (34412, 7, 30, b"x" * 30),  # LSM
        (34361, 7, 40, b"y" * 40),  # FluoView
        (33560, 2, 5, b"abcde"),  # Olympus SIS
        (50839, 1, 21, b"IJIJ" + b"q" * 17),  # ImageJ
        (51123, 2, 3, b"{x}"),  # Micro-Manager
        (34377, 7, 6, b"8BIMxx"),  # Photoshop
        (700, 7, 5, b"<x:xm"),  # XMP
        (330, 4, 2, (8, 12)),  # SubIFDs
        (305, 7, 4, b"\xff\xff\xff\xff"),  # Software
    ],
    ids=lambda tag: str(tag[0]),
)
def test_tags_of_other_programs_keep_no_page_from_being_read(tmp_path: Path, tag: tuple) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in IMAGE[:3]:
            file.write(
                page, photometric="minisblack", metadata=None, contiguous=False,
                extratags=[(*tag, True)],
            )  # fmt: skip
    assert_array_equal(read_pages(tmp_path / "a.tif")[:, 0], IMAGE[:3])


def test_a_cut_stack_of_imagej_is_not_its_first_page(tmp_path: Path) -> None:
    """ImageJ writes large stacks as one page with all planes behind it."""
    path = tmp_path / "a.tif"
    text = "ImageJ=1.54f\nimages=9\nslices=9\n"
    tifffile.imwrite(path, IMAGE[0], metadata=None, description=text)
    with pytest.raises(ValueError, match="cut short"):
        read_pages(path)
    with path.open("ab") as file:
        file.write(IMAGE[1:].tobytes())
    with open_image(path) as opened:
        assert (opened.axes, opened.shape) == ("Z", (9,))
        assert_array_equal(opened.pages[8][:, :, :], IMAGE[8:])


def test_every_kind_whose_pages_tifffile_finds_by_metadata_can_be_turned_off() -> None:
    """A kind that a new tifffile knows has to be added to ``KINDS``."""
    readers = {name for name in dir(tifffile.TiffFile) if name.startswith("_series_")}
    kinds = {name.removeprefix("_series_") for name in readers} - {"generic", "indica"}
    assert kinds == set(KINDS)
