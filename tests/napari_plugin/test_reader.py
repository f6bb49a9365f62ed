"""Results of predict.py open as layers."""

import json
from pathlib import Path

import numpy as np
import pytest

from unet_exp.images.tags import Tags
from unet_exp.napari_plugin.reader import get_reader, read
from unet_exp.prediction.tiff_results import write_tiff
from unet_exp.prediction.zarr_results import write_zarr

LABELS = np.arange(2 * 6 * 7, dtype=np.uint32).reshape(2, 6, 7)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The manifest of a folder with a TIFF of two pages, and an OME-Zarr of one."""
    write_tiff(tmp_path / "a_instances.tif", [*LABELS], "uint16", "T", (2,), Tags())
    chances = [np.full((3, 6, 7), 0.5, np.float32)] * 2
    write_tiff(tmp_path / "a_probabilities.tif", chances, "float32", "T", (2,), Tags())
    write_zarr(tmp_path / "b_instances.zarr", [LABELS[1]], "uint32", instances=True)
    (tmp_path / "a_objects.csv").write_text("label\n")
    files = [*tmp_path.iterdir(), tmp_path / "gone_instances.tif"]
    manifest = tmp_path / "predict.json"
    manifest.write_text(json.dumps({"settings": {}, "results": {one.name: [] for one in files}}))
    return manifest


def test_a_manifest_opens_all_results(results: Path) -> None:
    found = read(str(results))
    names = [(given["name"], kind) for _, given, kind in found]
    assert names == [
        ("a_probabilities", "image"),
        ("a_instances", "labels"),
        ("b_instances", "labels"),
    ]
    assert found[0][0].shape == (2, 3, 6, 7)
    assert np.array_equal(found[1][0], LABELS)
    assert np.array_equal(found[2][0], LABELS[1])


def test_a_single_result_opens(results: Path) -> None:
    ((pixels, given, kind),) = read([str(results.parent / "a_instances.tif")])
    assert (given["name"], kind) == ("a_instances", "labels")
    assert np.array_equal(pixels, LABELS)


def test_other_files_are_left_to_other_readers() -> None:
    assert get_reader("cells.tif") is None
    assert get_reader(["a_instances.tif", "cells.tif"]) is None
    assert get_reader("out/predict.json") is read


def test_nothing_outside_the_folder_is_opened(results: Path) -> None:
    inner = results.parent / "inner"
    inner.mkdir()
    names = ["../a_instances.tif", str(results.parent / "a_instances.tif")]
    (inner / "predict.json").write_text(json.dumps({"results": {name: [] for name in names}}))
    with pytest.raises(ValueError, match="lists no instances"):
        read(str(inner / "predict.json"))


@pytest.mark.parametrize("text", ["", "[]", '{"results": 3}', "{}"])
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "predict.json").write_text(text)
    with pytest.raises(ValueError, match=r"predict\.json is no list of results"):
        read(str(tmp_path / "predict.json"))
