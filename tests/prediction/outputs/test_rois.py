"""ROI sets as roifile reads them."""

from pathlib import Path

import numpy as np
import pytest
from roifile import ROI_TYPE, ImagejRoi
from tests.prediction.outputs.drawings import DRAWN, segmented

from unet_exp.prediction.outputs.rois import Rois, roi

shapely = pytest.importorskip("shapely")


def read(path: Path) -> list[ImagejRoi]:
    found = ImagejRoi.fromfile(path)
    return found if isinstance(found, list) else [found]


def test_rois_are_named_and_enclose_the_objects_pixels(tmp_path: Path) -> None:
    Rois().write(tmp_path / "a.zip", segmented(DRAWN))
    rois = read(tmp_path / "a.zip")
    assert [one.name for one in rois] == ["00001", "00002", "00003"]
    assert [one.roitype for one in rois] == [ROI_TYPE.RECT, ROI_TYPE.POLYGON, ROI_TYPE.RECT]
    assert rois[1].coordinates().tolist() == [[4, 0], [6, 0], [6, 2], [4, 2]]
    assert (rois[1].left, rois[1].top, rois[1].right, rois[1].bottom) == (4, 0, 6, 2)
    ring = [shapely.Polygon(one) for one in rois[0].coordinates(multi=True)]
    assert [one.area for one in ring] == [9, 1]
    parts = [shapely.Polygon(one) for one in rois[2].coordinates(multi=True)]
    assert [one.bounds for one in parts] == [(3, 3, 4, 4), (5, 3, 6, 4)]


def test_rois_of_a_stack_belong_to_their_page(tmp_path: Path) -> None:
    pages = [DRAWN * 0, DRAWN]
    Rois().write(tmp_path / "a.zip", segmented(*pages))
    assert [(one.name, one.position) for one in read(tmp_path / "a.zip")] == [
        ("0002-00001", 2), ("0002-00002", 2), ("0002-00003", 2),
    ]  # fmt: skip
    Rois().write(tmp_path / "b.zip", segmented(*pages, *pages, axes="TZ", shape=(2, 2)))
    places = [(one.t_position, one.z_position) for one in read(tmp_path / "b.zip")]
    assert places == [(1, 2)] * 3 + [(2, 2)] * 3


def test_an_image_without_objects_is_an_empty_set(tmp_path: Path) -> None:
    Rois().write(tmp_path / "a.zip", segmented(DRAWN * 0))
    assert ImagejRoi.fromfile(tmp_path / "a.zip") == []


def test_far_corners_are_stored_without_loss(tmp_path: Path) -> None:
    ring = np.array([[0, 0], [2, 0], [2, 2], [0, 2]]) + np.array([90_000, 40_000])
    [back] = [ImagejRoi.frombytes(roi([[ring]], "1").tobytes())]
    np.testing.assert_array_equal(back.coordinates(), ring)
