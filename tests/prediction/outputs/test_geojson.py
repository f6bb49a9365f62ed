"""GeoJSON as QuPath reads it: closed, valid polygons with measures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.prediction.outputs.drawings import DRAWN, MICROSCOPE, segmented

from unet_exp.prediction.outputs.geojson import GeoJson
from unet_exp.prediction.segmented import Segmented

shapely = pytest.importorskip("shapely")


def written(folder: Path, found: Segmented) -> list[dict[str, Any]]:
    GeoJson().write(folder / "a.geojson", found)
    content = json.loads((folder / "a.geojson").read_text())
    assert content["type"] == "FeatureCollection"
    return content["features"]


def test_polygons_are_closed_and_valid_and_have_the_objects_pixels(tmp_path: Path) -> None:
    features = written(tmp_path, segmented(DRAWN, tags=MICROSCOPE))
    assert [one["properties"]["name"] for one in features] == ["1", "2", "3"]
    kinds = [one["geometry"]["type"] for one in features]
    assert kinds == ["Polygon", "Polygon", "MultiPolygon"]
    y, x = np.mgrid[:4, :6] + 0.5
    for number, one in enumerate(features, 1):
        shape = shapely.from_geojson(json.dumps(one["geometry"]))  # refuses rings that are open
        assert shape.is_valid
        np.testing.assert_array_equal(shapely.contains_xy(shape, x, y), number == DRAWN)
    square = features[1]
    assert square["type"] == "Feature"
    assert square["properties"]["objectType"] == "detection"
    assert square["geometry"]["coordinates"] == [[[4, 0], [6, 0], [6, 2], [4, 2], [4, 0]]]
    measures = square["properties"]["measurements"]
    assert (measures["area_px"], measures["area_um2"], measures["mean_0"]) == (4, 0.5, 20)
    assert "label" not in measures


@pytest.mark.parametrize(
    ("axes", "shape", "plane"),
    [("T", (2,), {"z": 0, "t": 1}), ("Z", (2,), {"z": 1, "t": 0}), ("Q", (2,), {"z": 1, "t": 0}),
     ("TZ", (1, 2), {"z": 1, "t": 0})],
)  # fmt: skip
def test_objects_of_a_stack_lie_in_their_plane(
    tmp_path: Path, axes: str, shape: tuple[int, ...], plane: dict[str, int]
) -> None:
    features = written(tmp_path, segmented(DRAWN * 0, DRAWN, axes=axes, shape=shape))
    assert [one["geometry"]["plane"] for one in features] == [{"c": -1, **plane}] * 3


def test_an_image_without_objects_is_an_empty_collection(tmp_path: Path) -> None:
    assert written(tmp_path, segmented(np.zeros_like(DRAWN))) == []


def test_numbers_that_json_lacks_are_left_out(tmp_path: Path) -> None:
    images = [np.full((1, *DRAWN.shape), np.nan)]
    features = written(tmp_path, segmented(DRAWN, images=images))
    assert "mean_0" not in features[0]["properties"]["measurements"]
