"""Files that are read by slices give the same values as when read at once."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import zarr
from numpy.testing import assert_array_equal

from unet_exp.images.image_file import open_image

IMAGE = np.random.default_rng(0).integers(0, 255, (4, 2, 40, 30)).astype(np.uint16)


def write(path: Path) -> None:
    kinds = {
        "strips.tif": {"compression": "zlib", "rowsperstrip": 7},
        "tiles.tif": {"compression": "zlib", "tile": (16, 16)},
        "big_endian.tif": {"byteorder": ">"},
    }
    if path.suffix == ".npy":
        np.save(path, IMAGE)
    else:
        options = kinds[path.name]
        tifffile.imwrite(
            path, IMAGE, photometric="minisblack", metadata={"axes": "TCYX"}, **options
        )


@pytest.mark.parametrize("name", ["strips.tif", "tiles.tif", "big_endian.tif", "array.npy"])
def test_pages_of_a_large_file_are_read_by_slices(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    with open_image(tmp_path / name, in_memory=0) as opened:
        assert not isinstance(opened.pages[0].source, np.ndarray)
        assert opened.shape == (4,)
        for page, expected in zip(opened.pages, IMAGE, strict=True):
            assert page.shape == (2, 40, 30)
            assert_array_equal(page[:, 5:21, 3:30], expected[:, 5:21, 3:30])
            assert_array_equal(page[1:, 39:, :1], expected[1:, 39:, :1])
    with open_image(tmp_path / name) as opened:
        assert isinstance(opened.pages[0].source, np.ndarray)
        assert_array_equal(opened.pages[2][:, :, :], IMAGE[2])


def test_pages_keep_their_axes_in_order(tmp_path: Path) -> None:
    stack = np.arange(2 * 3 * 20 * 30, dtype=np.uint16).reshape(2, 3, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "TZYX"})
    with open_image(tmp_path / "a.tif") as opened:
        assert (opened.axes, opened.shape) == ("TZ", (2, 3))
        assert_array_equal(opened.pages[4][:, :, :], stack[1, 1][None])


@pytest.mark.parametrize("name", ["strips.tif", "big_endian.tif"])
def test_a_large_file_that_is_cut_short_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 3 // 4])

    def read() -> None:
        with open_image(tmp_path / name, in_memory=0) as opened:
            for page in opened.pages:
                page[:, :, :]

    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        read()


@pytest.mark.parametrize("version", [2, 3])
def test_ome_zarr_of_both_versions(tmp_path: Path, version: int) -> None:
    path = tmp_path / "a.zarr"
    group = zarr.create_group(path, zarr_format=version)
    group.create_array("0", data=IMAGE, chunks=(1, 1, 16, 16))
    axes = [{"name": n, "type": t} for n, t in (("z", "space"), ("c", "channel"))]
    axes += [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"]
    steps = [{"type": "scale", "scale": [2.0, 1.0, 0.5, 0.25]}]
    image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    if version == 2:
        group.attrs["multiscales"] = [{"version": "0.4", **image}]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    with open_image(path) as opened:
        assert (opened.axes, opened.shape) == ("Z", (4,))
        assert_array_equal(opened.pages[3][:, 2:9, 1:30], IMAGE[3][:, 2:9, 1:30])
        steps = {"z": (2.0, None), "y": (0.5, "micrometer"), "x": (0.25, "micrometer")}
        assert opened.tags.steps() == steps


def test_a_plain_zarr_array_is_a_stack(tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=IMAGE[:, 0])
    with open_image(tmp_path / "a.zarr") as opened:
        assert opened.shape == (4,)
    with open_image(tmp_path / "a.zarr", channels=4) as opened:
        assert opened.pages[0].shape == (4, 40, 30)


def test_files_that_are_no_images_are_refused(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "empty.zarr")
    np.save(tmp_path / "line.npy", np.zeros(5))
    np.save(tmp_path / "text.npy", np.array([["a"]]))
    (tmp_path / "notes.tif").write_text("no picture")
    for name, words in {
        "empty.zarr": "without OME's multiscales",
        "line.npy": r"shape \(5,\) is not an image",
        "text.npy": "Save it as 8 or 16 bit",
        "notes.tif": "neither PNG nor TIFF nor NPY",
    }.items():
        with pytest.raises(ValueError, match=f"{name}.*{words}"), open_image(tmp_path / name):
            pass


def test_a_pixel_is_what_imagej_and_ome_say(tmp_path: Path) -> None:
    options = {"resolution": (4, 5), "metadata": {"axes": "YX", "unit": "micron"}}
    tifffile.imwrite(tmp_path / "ij.tif", IMAGE[0, 0], imagej=True, **options)
    size = {"PhysicalSizeX": 20.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 30.0}
    tifffile.imwrite(tmp_path / "b.ome.tif", IMAGE[0, 0], metadata={"axes": "YX", **size})
    tifffile.imwrite(tmp_path / "c.tif", IMAGE[0, 0])
    options = {"resolution": (254, 508), "resolutionunit": "INCH"}
    tifffile.imwrite(tmp_path / "e.tif", IMAGE[0, 0], **options)
    cv2.imwrite(str(tmp_path / "d.png"), IMAGE[0, 0])
    found = []
    for name in ("ij.tif", "b.ome.tif", "c.tif", "e.tif", "d.png"):
        with open_image(tmp_path / name) as opened:
            found.append((opened.tags.kind, opened.tags.steps()))
    assert found == [
        ("imagej", {"x": (0.25, "micrometer"), "y": (0.2, "micrometer")}),
        ("ome", {"x": (20.0, "nanometer"), "y": (30.0, "micrometer")}),
        ("tiff", {}),
        ("tiff", {"x": (100.0, "micrometer"), "y": (50.0, "micrometer")}),
        ("", {}),
    ]


def test_a_file_shorter_than_its_header_says_costs_no_memory(tmp_path: Path) -> None:
    with (tmp_path / "huge.npy").open("wb") as file:
        shape = {"shape": (2_000_000, 2_000_000), "fortran_order": False, "descr": "<f8"}
        np.lib.format.write_array_header_1_0(file, shape)
        file.write(b"0" * 100)
    with (
        pytest.raises(ValueError, match=r"huge.npy cannot be read"),
        open_image(tmp_path / "huge.npy"),
    ):
        pass


def test_images_of_two_values_may_be_bool(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGE[0, 0] > 99)
    with open_image(tmp_path / "a.npy") as opened:
        assert_array_equal(opened.pages[0][:, :, :], (IMAGE[0, :1] > 99).astype(np.uint8))


def test_a_group_of_images_says_which_are_in_it(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "a.zarr").create_group("pos0")
    with pytest.raises(ValueError, match="one of pos0"), open_image(tmp_path / "a.zarr"):
        pass


def test_an_ome_tiff_whose_metadata_lie_elsewhere_is_read(tmp_path: Path) -> None:
    text = '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    text += '<BinaryOnly MetadataFile="a.companion.ome" UUID="urn:uuid:1"/></OME>'
    tifffile.imwrite(tmp_path / "a.tif", IMAGE[0, 0], description=text, metadata=None)
    with open_image(tmp_path / "a.tif") as opened:
        assert_array_equal(opened.pages[0][:, :, :], IMAGE[0, :1])


def test_missing_chunks_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=IMAGE[:, 0] + 1, chunks=(1, 40, 30))
    with open_image(tmp_path / "a.zarr"):
        pass
    assert not caplog.text
    next((tmp_path / "a.zarr").rglob("c/2/0/0")).unlink()
    with open_image(tmp_path / "a.zarr"):
        pass
    assert "1 of its 4 chunks are missing and are read as 0" in caplog.text
