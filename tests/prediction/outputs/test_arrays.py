"""Instances that ImageJ opens in colours, read back by tifffile."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.prediction.outputs.drawings import DRAWN, MICROSCOPE, segmented

from unet_exp.images.image_file import open_image
from unet_exp.images.tags import Tags
from unet_exp.prediction.outputs.arrays import ArrayFormat, Instances

STACKS = [("", ()), ("T", (2,)), ("TZ", (1, 2)), ("Q", (2,))]


@pytest.mark.parametrize(("axes", "shape"), STACKS)
@pytest.mark.parametrize("tags", [Tags(), MICROSCOPE, Tags("tiff", ((300, 1), (300, 1)), 2)])
def test_instances_have_a_lookup_table(
    tmp_path: Path, tags: Tags, axes: str, shape: tuple[int, ...]
) -> None:
    pages = [DRAWN] * max(1, int(np.prod(shape)))
    found = segmented(*pages, axes=axes, shape=shape, tags=tags)
    Instances(ArrayFormat("auto")).write(tmp_path / "a.tif", found)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(file.asarray().reshape(-1, *DRAWN.shape), pages)
        assert file.asarray().dtype == np.uint16
        metadata = file.imagej_metadata or {}
        table = np.stack(metadata["LUTs"])
        colormap = file.pages[0].aspage().tags["ColorMap"].value
    assert metadata["Ranges"] == (0, 255)
    assert (metadata["min"], metadata["max"]) == (0, 255)
    assert table.shape == (3, 256)
    np.testing.assert_array_equal(np.reshape(colormap, (3, 256)), table * np.uint16(257))
    assert not table[:, 0].any()  # the background is black
    assert len({tuple(colour) for colour in table[:, 1:9].T.tolist()}) == 8
    with open_image(tmp_path / "a.tif") as opened:
        assert opened.axes == {"Q": "Z", "TZ": "Z"}.get(axes, axes)
        assert opened.tags.steps().keys() == found.tags.steps().keys()


def test_the_range_of_many_labels_ends_at_the_last(tmp_path: Path) -> None:
    labels = np.arange(1000, dtype=np.uint32).reshape(20, 50)
    Instances(ArrayFormat("tiff")).write(tmp_path / "a.tif", segmented(labels))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert (file.imagej_metadata or {})["Ranges"] == (0, 999)


def test_types_that_imagej_lacks_keep_their_numbers(tmp_path: Path) -> None:
    labels = np.array([[0, 70_000]], np.uint32)
    Instances(ArrayFormat("tiff")).write(tmp_path / "a.tif", segmented(labels))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), labels)
