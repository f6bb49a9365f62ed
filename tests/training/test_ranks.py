"""Trainings in two processes on a CPU, compared with the same training in one."""

import re
from pathlib import Path

import pytest
import torch

from tests.running import TINY
from tests.training.fitting import rows, run, weights

TWO = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
SMALL = (*TINY, "loader.steps_per_validation=3", "trainer.max_steps=6")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "cache"))


def assert_one_network(said: str) -> None:
    """Both processes end with the same weights and buffers."""
    found = re.findall(r"network=(\w+)", said)
    assert len(found) == 2
    assert len(set(found)) == 1


def assert_close(one: Path, two: Path) -> None:
    """Weights and all columns of metrics.csv but the time agree."""
    assert weights(one).keys() == weights(two).keys()
    for name, value in weights(one).items():
        torch.testing.assert_close(weights(two)[name], value, rtol=1e-4, atol=1e-6)
    for a, b in zip(rows(one), rows(two), strict=True):
        assert {k: float(v) for k, v in a.items()} == pytest.approx(
            {k: float(v) for k, v in b.items()}, rel=1e-4
        )


def test_two_processes_with_half_the_batch_train_as_one_with_the_whole(tmp_path: Path) -> None:
    steps = (
        *SMALL,
        "model.norm=none",
        "dataset.validation=5",  # the second process has one image less
        "trainer.limit_val_batches=3",
        "loss=weighted_sum",  # Dice is no mean over the tiles of a batch
        "optimizer=sgd",
        "optimizer.momentum=0.9",
        "optimizer.lr=0.05",
        "trainer.gradient_clip_val=1",
    )
    said = run(2, tmp_path / "two", (*steps, *TWO, "loader.batch_size=2"))
    run(1, tmp_path / "one", (*steps, "loader.batch_size=4"))
    assert_one_network(said)
    assert_close(tmp_path / "one", tmp_path / "two")


def test_a_process_without_an_image_waits_for_nobody(tmp_path: Path) -> None:
    # Batch norm: on a CPU each process has statistics of its own tiles, and both their mean.
    steps = (*SMALL, *TWO, "dataset.validation=1", "model.norm=batch", "loader.batch_size=2")
    said = run(2, tmp_path, (*steps, "pictures.images=2", "pictures.every=1"))
    assert_one_network(said)
    assert [row["step"] for row in rows(tmp_path)] == ["3", "6"]
    pictures = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert pictures == [
        "learning_curves.png",
        "validation_000_step_000003.png",
        "validation_000_step_000006.png",
    ]
