from pathlib import Path

import pytest

from tests.running import TINY
from tests.training.fitting import run
from tests.training.test_ranks import assert_close, assert_one_network


def test_a_spread_network_trains_stops_and_saves_as_one_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "cache"))
    steps = (
        *TINY,
        "loader.steps_per_validation=4",
        "trainer.max_steps=6",
        "model.norm=none",
        "ema_decay=0",
        "dataset.validation=3",
        "optimizer.eps=0.01",  # where a gradient is nearly 0, Adam would follow its last digit
        "trainer.gradient_clip_val=1",
    )
    run(1, tmp_path / "one", (*steps, "loader.batch_size=2"))
    spread = (*steps, "trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=2")
    said = run(2, tmp_path / "two", spread, ASK="SIGTERM@0:1")
    assert said.count("reason=preempted step=3") == 2
    assert_one_network(run(2, tmp_path / "two", spread))
    assert_close(tmp_path / "one", tmp_path / "two")


def test_sgd_takes_the_same_steps_with_a_spread_network(tmp_path: Path) -> None:
    steps = (
        *TINY,
        "loader.steps_per_validation=2",
        "trainer.max_steps=2",
        "ema_decay=0",
        "optimizer=sgd",
        "trainer.gradient_clip_val=1",
    )
    run(1, tmp_path / "one", steps)
    spread = (*steps, "trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=1")
    run(1, tmp_path / "two", spread)
    assert_close(tmp_path / "one", tmp_path / "two")
