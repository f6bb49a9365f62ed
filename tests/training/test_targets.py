"""Each target trains, draws, and works with every postprocessing."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.training.fitting import fit, rows

TINY = (
    "dataset.size=64", "dataset.train=2", "dataset.validation=1", "model.depth=1",
    "model.base_channels=2", "trainer=cpu", "trainer.max_steps=1", "loader.tile=32",
    "loader.steps_per_validation=1", "pictures.images=1", "pictures.every=1",
)  # fmt: skip


@pytest.mark.parametrize("postprocessing", ["watershed", "components", "none"])
@pytest.mark.parametrize(("target", "channels"), [("three_class", 3), ("distance", 4)])
def test_a_target_trains(tmp_path: Path, target: str, channels: int, postprocessing: str) -> None:
    words = [*TINY, f"target={target}", f"postprocessing={postprocessing}"]
    trainer, _ = fit(tmp_path, words)
    assert trainer.lightning_module.network.out_channels == channels
    scores = rows(tmp_path)[-1]
    assert all(math.isfinite(float(scores[f"val/{name}"])) for name in ("loss", "pixel_error"))
    assert list((tmp_path / "pictures").glob("validation_000_step_000001.png"))


@pytest.mark.parametrize("chosen", [[], ["postprocessing=components"]])
def test_flows_train(tmp_path: Path, chosen: list[str]) -> None:
    trainer, _ = fit(tmp_path, [*TINY, "target=flows", *chosen])
    assert trainer.lightning_module.network.out_channels == 4
    assert all(math.isfinite(float(rows(tmp_path)[-1][f"val/{name}"])) for name in ("loss", "seg"))
    assert list((tmp_path / "pictures").glob("validation_000_step_000001.png"))


@pytest.mark.parametrize(
    ("target", "channels"), [("three_class", 5), ("distance", 5), ("flows", 5)]
)
def test_a_target_learns_drawn_classes(tmp_path: Path, target: str, channels: int) -> None:
    for folder in ("images", "labels"):
        (tmp_path / "mine" / folder).mkdir(parents=True)
    classes = np.zeros((64, 64), np.uint8)
    classes[5:20, 5:30], classes[30:50, 10:40], classes[60:] = 1, 2, 255
    for number in range(5):
        image = np.random.default_rng(number).random((64, 64), np.float32)
        np.save(tmp_path / "mine" / "images" / f"{number}.npy", image)
        np.save(tmp_path / "mine" / "labels" / f"{number}.npy", classes)
    data = ("dataset=folder", f"dataset.root={tmp_path / 'mine'}", "dataset.labels=classes")
    words = [word for word in TINY if not word.startswith("dataset")]
    trainer, _ = fit(tmp_path, [*words, *data, f"target={target}", "postprocessing=none"])
    assert trainer.lightning_module.network.out_channels == channels
    scores = rows(tmp_path)[-1]
    assert all(math.isfinite(float(scores[f"val/{name}"])) for name in ("loss", "iou"))
