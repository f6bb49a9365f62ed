"""OME-TIFFs that name more planes than they contain."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from tests.images.stored_pages import read_pages

from unet_exp.images.image_file import open_image

IMAGE = np.arange(6 * 8 * 9, dtype=np.uint8).reshape(6, 8, 9)


def write(
    path: Path, pages: np.ndarray, sizes: str, blocks: str, root: str = "", order: str = "XYZCT"
) -> Path:
    """Write pages with any OME-XML, which need not fit them."""
    xml = (
        f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'{root}><Image ID="Image:0"><Pixels ID="Pixels:0" Type="uint8" DimensionOrder="{order}" '
        f'SizeX="9" SizeY="8" {sizes}>{blocks}</Pixels></Image></OME>'
    )
    tifffile.imwrite(path, pages, photometric="minisblack", metadata=None, description=xml)
    return path


def blocks_of_set(count: int, planes: int = 1) -> str:
    return "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="{planes}">'
        f'<UUID FileName="t{t}.ome.tif">urn:uuid:{t}</UUID></TiffData>'
        for t in range(count)
    )


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("root", [True, False])
def test_a_file_of_a_set_gives_its_own_planes(tmp_path: Path, alone: bool, root: bool) -> None:
    for t in range(3):
        said = f'UUID="urn:uuid:{t}"' if root else ""
        pages = IMAGE[2 * t : 2 * t + 2]
        sizes = 'SizeZ="2" SizeC="1" SizeT="3"'
        write(tmp_path / f"t{t}.ome.tif", pages, sizes, blocks_of_set(3, 2), said)
    if alone:
        for t in (0, 2):
            (tmp_path / f"t{t}.ome.tif").unlink()
    with open_image(tmp_path / "t1.ome.tif") as opened:
        assert (opened.axes, opened.shape) == ("Z", (2,))
        assert_array_equal(opened.pages[0][:, :, :], IMAGE[2:3])
        assert_array_equal(opened.pages[1][:, :, :], IMAGE[3:4])


def test_tifffiles_own_sets_too(tmp_path: Path) -> None:
    """What tifffile itself would read from both files counts once in each."""
    sizes = 'SizeZ="1" SizeC="1" SizeT="2"'
    for t in range(2):
        root = f'UUID="urn:uuid:{t}"'
        write(tmp_path / f"t{t}.ome.tif", IMAGE[t], sizes, blocks_of_set(2), root)
    assert tifffile.imread(tmp_path / "t1.ome.tif").shape == (2, 8, 9)
    assert_array_equal(read_pages(tmp_path / "t1.ome.tif"), IMAGE[1:2, None])


@pytest.mark.parametrize(
    ("sizes", "blocks"),
    [
        ('SizeZ="1" SizeC="1" SizeT="5"', "<TiffData/>"),
        ('SizeZ="1" SizeC="1" SizeT="2"', '<TiffData PlaneCount="9"/>'),
        ('SizeZ="1" SizeC="1" SizeT="3"', '<TiffData IFD="1" PlaneCount="2"/>'),
        ('SizeZ="3" SizeC="1" SizeT="1"', '<TiffData IFD="0"/><TiffData FirstZ="1" IFD="1"/>'),
        (f'SizeZ="{2**20}" SizeC="1" SizeT="{2**20}"', "<TiffData/>"),
        (f'SizeZ="1" SizeC="1" SizeT="{2**70}"', f'<TiffData PlaneCount="{2**69}"/>'),
    ],
)
def test_planes_that_are_missing_make_a_cut_file(tmp_path: Path, sizes: str, blocks: str) -> None:
    write(tmp_path / "a.ome.tif", IMAGE[:2], sizes, blocks)
    with pytest.raises(ValueError, match=r"a\.ome\.tif cannot be read \(cut short"):
        read_pages(tmp_path / "a.ome.tif")


@pytest.mark.parametrize(
    ("sizes", "blocks"),
    [
        ('SizeZ="1" SizeC="1" SizeT="2"', "<TiffData/>"),  # fewer than there are
        ('SizeZ="0" SizeC="1" SizeT="-3"', "<TiffData/>"),
        ('SizeZ="many" SizeC="1" SizeT="1"', "<TiffData/>"),
        ('SizeZ="1" SizeC="1"', "<TiffData/>"),
        ('SizeZ="1" SizeC="1" SizeT="3"', ""),
        ('SizeZ="1" SizeC="1" SizeT="3"', '<TiffData IFD="first"/>'),
        ('SizeZ="1" SizeC="1" SizeT="3"', "<TiffData>"),  # no XML
    ],
)
def test_pages_are_read_despite_invalid_metadata(
    tmp_path: Path, sizes: str, blocks: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "a.ome.tif", IMAGE[:3], sizes, blocks)
    assert_array_equal(read_pages(tmp_path / "a.ome.tif"), IMAGE[:3, None])
    assert "the metadata of its pages are invalid" in caplog.text


def test_planes_stand_where_the_xml_puts_them(tmp_path: Path) -> None:
    blocks = "".join(
        f'<TiffData FirstT="{t}" FirstC="{c}" IFD="{5 - 2 * t - c}"/>'
        for t in range(3)
        for c in range(2)
    )
    write(tmp_path / "a.ome.tif", IMAGE, 'SizeZ="1" SizeC="2" SizeT="3"', blocks)
    with open_image(tmp_path / "a.ome.tif") as opened:
        assert (opened.axes, opened.shape) == ("T", (3,))
        for t in range(3):
            assert_array_equal(opened.pages[t][:, :, :], IMAGE[::-1][2 * t : 2 * t + 2])


def test_no_entity_is_expanded(tmp_path: Path) -> None:
    bomb = "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><OME>&c;</OME>"
    tifffile.imwrite(tmp_path / "a.tif", IMAGE[0], metadata=None, description=bomb)
    assert_array_equal(read_pages(tmp_path / "a.tif"), IMAGE[:1, None])
