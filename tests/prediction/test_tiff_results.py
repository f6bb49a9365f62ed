"""Results as other programs read them. tifffile represents those."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from unet_exp.images.image_file import open_image
from unet_exp.images.tags import Tags
from unet_exp.prediction import tiff_results
from unet_exp.prediction.tiff_results import write_tiff
from unet_exp.prediction.zarr_results import write_zarr

PAGES = [np.random.default_rng(i).integers(0, 99, (30, 40)).astype(np.uint32) for i in range(6)]


def tags_of(path: Path) -> Tags:
    with open_image(path) as opened:
        return opened.tags


def test_imagej_keeps_axes_scale_and_times(tmp_path: Path) -> None:
    said = {"unit": "um", "spacing": 2.0, "finterval": 30.0}
    image = np.zeros((2, 3, 30, 40), np.uint8)
    options = {"resolution": (4, 4), "metadata": {"axes": "TZYX", **said}}
    tifffile.imwrite(tmp_path / "image.tif", image, imagej=True, **options)
    tags = tags_of(tmp_path / "image.tif")
    for dtype in ("uint16", "float32"):
        write_tiff(tmp_path / "result.tif", PAGES, dtype, "TZ", (2, 3), tags)
        with tifffile.TiffFile(tmp_path / "result.tif") as file:
            assert file.is_imagej
            held = file.imagej_metadata or {}
            assert {k: held[k] for k in said} == said
            assert (held["frames"], held["slices"]) == (2, 3)
            assert file.series[0].axes == "TZYX"
            assert file.pages[0].tags["XResolution"].value == (4, 1)  # pyright: ignore[reportAttributeAccessIssue]
            np.testing.assert_array_equal(file.asarray().reshape(6, 30, 40), PAGES)
            assert file.asarray().dtype == dtype


def test_types_that_imagej_lacks_are_a_plain_tiff_of_the_same_scale(tmp_path: Path) -> None:
    tags = Tags("imagej", ((4, 1), (4, 1)), 1, {"unit": "um"})
    write_tiff(tmp_path / "a.tif", PAGES, "uint32", "Z", (6,), tags)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert not file.is_imagej
        assert file.asarray().dtype == np.uint32
        assert file.pages[0].tags["XResolution"].value == (4, 1)  # pyright: ignore[reportAttributeAccessIssue]


def test_ome_keeps_axes_and_sizes_and_gains_channels(tmp_path: Path) -> None:
    size = {
        "PhysicalSizeX": 0.5,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.25,
        "TimeIncrement": 9.0,
    }
    image = np.zeros((2, 30, 40), np.uint8)
    tifffile.imwrite(tmp_path / "image.ome.tif", image, metadata={"axes": "TYX", **size})
    pages = [np.stack(PAGES[:3]), np.stack(PAGES[3:])]
    tags = tags_of(tmp_path / "image.ome.tif")
    write_tiff(tmp_path / "result.ome.tif", pages, "float32", "T", (2,), tags)
    with tifffile.TiffFile(tmp_path / "result.ome.tif") as file:
        assert file.is_ome
        assert file.series[0].axes == "TCYX"
        np.testing.assert_array_equal(file.asarray(), pages)
        pixels = tifffile.xml2dict(file.ome_metadata or "")["OME"]["Image"]["Pixels"]
        assert {k: pixels[k] for k in size} == size


def test_a_plain_tiff_keeps_its_resolution(tmp_path: Path) -> None:
    options = {"resolution": (300, 200), "resolutionunit": "INCH"}
    tifffile.imwrite(tmp_path / "image.tif", PAGES[0], **options)
    write_tiff(tmp_path / "result.tif", PAGES[:1], "uint16", tags=tags_of(tmp_path / "image.tif"))
    with tifffile.TiffFile(tmp_path / "result.tif") as file:
        tags = file.pages[0].aspage().tags
        assert (tags["XResolution"].value, tags["YResolution"].value) == ((300, 1), (200, 1))
        assert tags["ResolutionUnit"].value == 2
        np.testing.assert_array_equal(file.asarray(), PAGES[0])


def test_an_unnamed_stack_stays_a_stack(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", PAGES, "uint16", "Q", (6,), Tags("tiff"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), PAGES)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_large_pages_are_written_in_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: tuple[int, ...]
) -> None:
    monkeypatch.setattr(tiff_results, "LARGE", 32)
    monkeypatch.setattr(tiff_results, "TILE", 16)
    pages = [np.broadcast_to(page, (*channels, 30, 40)) for page in PAGES[:2]]
    write_tiff(tmp_path / "a.tif", pages, "uint32", "Z", (2,), Tags("ome", details={}))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].is_tiled  # pyright: ignore[reportAttributeAccessIssue]
        np.testing.assert_array_equal(file.asarray(), pages)


def test_a_failed_write_leaves_the_old_result(tmp_path: Path) -> None:
    write_tiff(tmp_path / "a.tif", PAGES[:1], "uint16")
    before = (tmp_path / "a.tif").read_bytes()

    class Broken:
        shape = (30, 40)

        def __getitem__(self, key: object) -> np.ndarray:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_tiff(tmp_path / "a.tif", [Broken()], "uint16")
    assert (tmp_path / "a.tif").read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / "a.tif"]


HANDED_ON = [
    Tags("imagej", ((4, 1), (4, 1)), 1, {"unit": "µm", "spacing": 2.0}),
    Tags("imagej", None, 1, {"unit": "日本", "tunit": "é"}),
    Tags("imagej", ((2**40, 1), (-1, 1)), 1, {"unit": "a\nimages=9", "fps": 1e300}),
    Tags("ome", None, 1, {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}),
    Tags("ome", None, 1, {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "日本"}),
    Tags("ome", None, 1, {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": '<&"'}),
    Tags("zarr", scale={"x": (0.5, "日本"), "y": (1.0, "micrometer")}),
    Tags("tiff", ((2**32 - 1, 1), (1, 2**32 - 1)), 77),
]


@pytest.mark.parametrize("tags", HANDED_ON, ids=str)
def test_results_are_written_despite_invalid_metadata(tmp_path: Path, tags: Tags) -> None:
    for number, axes in enumerate(("TZ", "PZ", "QI", "ZZ", "CZ", "AY")):
        for dtype in ("uint16", "uint32"):
            path = tmp_path / f"{number}{dtype}.tif"
            write_tiff(path, PAGES, dtype, axes, (2, 3), tags)
            np.testing.assert_array_equal(tifffile.imread(path).reshape(6, 30, 40), PAGES)
        write_zarr(tmp_path / f"{number}.zarr", PAGES, "uint16", axes, (2, 3), tags)
        with open_image(tmp_path / f"{number}.zarr") as opened:
            assert sum(page.shape[0] for page in opened.pages) == 6


def test_units_beyond_ascii_come_back(tmp_path: Path) -> None:
    for number, kind in enumerate(("imagej", "ome")):
        tags = HANDED_ON[3 * number]
        assert tags.kind == kind
        write_tiff(tmp_path / f"{kind}.tif", PAGES, "uint16", "Z", (6,), tags)
        assert tags_of(tmp_path / f"{kind}.tif").steps() == tags.steps()
    with tifffile.TiffFile(tmp_path / "imagej.tif") as file:
        # As ImageJ itself writes it.
        assert r"unit=\u00B5m" in file.pages[0].aspage().description


def test_a_size_in_a_unit_that_ome_does_not_have_is_not_called_micrometres(tmp_path: Path) -> None:
    tags = Tags("ome", None, 1, {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "furlong"})
    write_tiff(tmp_path / "a.ome.tif", PAGES, "uint16", "Z", (6,), tags)
    assert "x" not in tags_of(tmp_path / "a.ome.tif").steps()
