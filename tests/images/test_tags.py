"""Which descriptions by other programs are kept, also of unreadable ones."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from unet_exp.images.image_file import open_image
from unet_exp.images.tags import Tags

IMAGE = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels '
    'ID="Pixels:0" Type="uint8" DimensionOrder="XYZCT" SizeX="30" SizeY="20" SizeZ="1" SizeC="1" '
    'SizeT="1" {}><TiffData/></Pixels></Image></OME>'
)


def tags_of(path: Path) -> Tags:
    with open_image(path) as opened:
        np.testing.assert_array_equal(opened.pages[0][:, :, :], IMAGE[None])
        return opened.tags


@pytest.mark.parametrize(
    ("description", "steps"),
    [
        ("ImageJ=1.54f\nunit=µm\n".encode("latin-1"), {"x": (0.25, "micrometer")}),
        ("ImageJ=1.54f\nunit=µm\n".encode(), {"x": (0.25, "micrometer")}),
        (b"ImageJ=1.54f\nunit=\\u00B5m\n", {"x": (0.25, "micrometer")}),
        (b"ImageJ=1.54f\nunit=um\nspacing=nan\nfinterval=-3\n", {"x": (0.25, "micrometer")}),
        (b"ImageJ=1.54f\nunit=um\nspacing=1e999\n", {"x": (0.25, "micrometer")}),
        (b"ImageJ=1.54f\nunit=" + b"long" * 99 + b"\n", {}),
        (OME.format('PhysicalSizeX="0.5" PhysicalSizeXUnit="µm"').encode("latin-1"),
         {"x": (0.5, "micrometer")}),
        (OME.format('PhysicalSizeX="NaN" PhysicalSizeY="-1"').encode(), {}),
        (OME.format('PhysicalSizeX="wide" PhysicalSizeY="INF"').encode(), {}),
        (OME.format('PhysicalSizeX="0.5" PhysicalSizeXUnit=""').encode(), {}),
    ],
)  # fmt: skip
def test_descriptions_of_tiff(tmp_path: Path, description: bytes, steps: dict) -> None:
    path = tmp_path / "a.tif"
    options = {"resolution": (4, 4), "description": description}
    tifffile.imwrite(path, IMAGE, metadata=None, photometric="minisblack", **options)
    found = tags_of(path).steps()
    assert {axis: step for axis, step in found.items() if axis != "y"} == steps


@pytest.mark.parametrize(
    ("x", "unit"),
    [((0, 0), 2), ((1, 0), 2), ((0, 1), 3), ((300, 1), 0), ((300, 1), 77)],
)
def test_resolutions_of_tiff(tmp_path: Path, x: tuple[int, int], unit: int) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE, metadata=None, resolution=(300, 300), resolutionunit="INCH")
    with tifffile.TiffFile(path, mode="r+") as file:
        written = file.pages[0].aspage().tags
        written["XResolution"].overwrite(x)
        written["ResolutionUnit"].overwrite(unit)
    tags = tags_of(path)
    assert tags.steps() == {}
    assert (tags.resolution is None) == (0 in x)


@pytest.mark.parametrize(
    "attributes",
    [
        "{nonsense",
        '["a list"]',
        '{"multiscales": "abc"}',
        '{"multiscales": []}',
        '{"multiscales": [{"axes": ["y"], "datasets": [{"path": "0"}]}]}',
        '{"multiscales": [{"axes": "yx", "datasets": "0"}]}',
        '{"multiscales": [{"axes": [{"name": 1}, {}], "datasets": [{"path": "0"}]}]}',
        '{"multiscales": [{"axes": [{"name": "y", "unit": 5}, {"name": "x", "unit": "a\\nb"}], '
        '"datasets": [{"path": "0", "coordinateTransformations": '
        '[{"type": "scale", "scale": ["wide", null]}]}]}]}',
        '{"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "0", '
        '"coordinateTransformations": [{"type": "scale", "scale": [NaN, -1]}]}]}]}',
        '{"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "../other.zarr"}]}]}',
        '{"ome": 5}',
    ],
)
def test_attributes_of_ome_zarr(tmp_path: Path, attributes: str) -> None:
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    group.create_array("0", data=IMAGE)
    zarr.create_array(tmp_path / "other.zarr", data=IMAGE + 1)
    (tmp_path / "a.zarr" / ".zattrs").write_text(attributes)
    known = [step for step, _ in tags_of(tmp_path / "a.zarr").steps().values()]
    assert set(known) <= {1.0}
