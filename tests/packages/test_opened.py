"""Packages instead of checkpoints in predict.py and evaluate.py, and what is refused."""

import csv
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from omegaconf import DictConfig

import unet_exp
from tests.packages.packing import axes, description, following, npy, pack
from unet_exp.api.job import compose
from unet_exp.prediction.segment_files import segment_files
from unet_exp.training.checkpoint import CheckpointError
from unet_exp.training.trained import read_config

SCALED = [{"id": "scale_range", "kwargs": {"min_percentile": 0, "max_percentile": 100}}]
OBJECTS = np.zeros((70, 90), np.uint8)
OBJECTS[4:20, 5:25] = 1
OBJECTS[30:61, 40:80] = 2


def package(path: Path, weights: float = 1, steps: Any = SCALED) -> Path:
    """Its network multiplies the image, which is scaled from 0 to 1."""
    inputs = [{"id": "image", "axes": axes({"min": 8, "step": 4}), "preprocessing": steps}]
    return pack(path, description(inputs=inputs), np.full((1, 1, 1, 1), weights))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images with bright objects, and their labels."""
    for name, light in (("a", 1000), ("b", 200)):
        for kind, array in (("images", (OBJECTS > 0) * light + 50), ("labels", OBJECTS)):
            (tmp_path / "mine" / kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(tmp_path / "mine" / kind / f"{name}.tif", array.astype(np.uint16))
    return tmp_path / "mine"


def predict(*overrides: str) -> None:
    usual = ("postprocessing.smoothing=0", "accelerator=cpu")
    segment_files(compose("predict", [*usual, *overrides]))


def test_a_folder_is_segmented_with_all_outputs_tile_by_tile(
    images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, output = package(tmp_path / "model.zip"), tmp_path / "out"
    words = [f"checkpoint={path}", f"input={images}/images", f"output={output}"]
    words += ["outputs=[instances,probabilities,overlay,table,rois,geojson]"]
    with caplog.at_level(logging.INFO):
        predict(*words, "inference.tile=24")
    for name in "ab":
        assert np.array_equal(tifffile.imread(output / f"{name}_instances.tif"), OBJECTS)
        found = tifffile.imread(output / f"{name}_probabilities.tif")
        assert np.allclose(found, OBJECTS > 0, atol=1e-6)
        assert len(list(output.glob(f"{name}*"))) == 6
    assert "usual values, as the package names none" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        predict(*words, "inference.tile=24")
    assert "2 were there before" in caplog.text


def test_the_mean_of_several_counts(images: Path, tmp_path: Path) -> None:
    paths = [package(tmp_path / f"{weight}.zip", weight) for weight in (0.25, 0.75)]
    output = tmp_path / "out"
    predict(f"checkpoint=[{paths[0]},{paths[1]}]", f"input={images}/images", f"output={output}")
    assert tifffile.imread(output / "a_probabilities.tif").max() == pytest.approx(0.5, abs=1e-4)


def test_networks_that_differ_are_not_averaged(tmp_path: Path) -> None:
    one, other = package(tmp_path / "a.zip"), package(tmp_path / "b.zip", steps=[])
    with pytest.raises(ValueError, match=r"b\.zip has another preprocessing than .*a\.zip"):
        unet_exp.load([one, other])
    said = description(
        outputs=[{"axes": following(channels=2), "test_tensor": {"source": "o.npy"}}]
    )
    example = npy(np.full((1, 2, 8, 8), 0.5, np.float32))
    wide = pack(tmp_path / "d.zip", said, np.ones((2, 1, 1, 1)), o_npy=example)
    with pytest.raises(ValueError, match=r"another number of output channels than .*: 1 and 2"):
        unet_exp.load([wide, package(tmp_path / "e.zip", steps=[])])
    (tmp_path / "c.ckpt").touch()
    with pytest.raises(ValueError, match=r"a\.zip is a package, and others are checkpoints"):
        unet_exp.load([one, tmp_path / "c.ckpt"])


def test_a_package_is_scored(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "cache"))
    path = package(tmp_path / "model.zip")
    with pytest.raises(ValueError, match="Choose them: dataset=folder"):
        unet_exp.evaluate(path, progress=False)
    words = ["dataset=folder", f"dataset.root={images}", "dataset.folds=2", "pictures=1"]
    words += ["postprocessing.smoothing=0", "hydra.run.dir=scores"]
    with pytest.raises(ValueError, match="nodata=50 would have no effect"):
        unet_exp.evaluate(path, *words, "dataset.nodata=50", device="cpu", progress=False)
    scores = unet_exp.evaluate(path, *words, device="cpu", progress=False)
    assert scores == pytest.approx({"seg": 1, "average_precision": 1, "iou": 1})
    record = json.loads((tmp_path / "scores" / "evaluation.json").read_text())
    assert record["checkpoint"] == [str(path)]
    with (tmp_path / "scores" / "per_image.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 1
    assert (tmp_path / "scores" / "report.html").exists()


def test_our_own_scaling_and_magnification_are_applied(tmp_path: Path) -> None:
    ours = {
        "target": {"_target_": "unet_exp.targets.foreground.Foreground", "activation": "sigmoid"},
        "postprocessing": {"_target_": "unet_exp.postprocessing.components.Components"},
        "normalization": "minmax",
        "scale": 0.5,
        "warnings": ["Enlarge images by inference.scale=0.5 before."],
    }
    said = description(config={"unet_exp": ours}, outputs=[{"axes": following()}])
    segmenter = unet_exp.load(pack(tmp_path / "model.zip", said), device="cpu")
    assert segmenter.predictor.inference.scale == 0.5
    found = segmenter.probabilities(np.array([[3, 5]] * 40, np.uint8).repeat(20, 1))
    assert found[0, [0, -1]] == pytest.approx([0.5, 1 / (1 + np.exp(-1))], abs=1e-3)


def test_no_training_continues_from_a_package(tmp_path: Path) -> None:
    path = package(tmp_path / "model.zip")
    with pytest.raises(CheckpointError, match="no training can go on"):
        read_config(path, DictConfig({"trust": []}))
