"""A training continues if the process of W&B ends first."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import wandb
from lightning.pytorch.callbacks import ModelCheckpoint

from unet_exp.training.wandb_logger import WandbLogger

PROJECT = Path(__file__).parents[2]

#: In a process of its own, since W&B's is one for all runs of a process.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path

import psutil

from unet_exp.training.loggers import finish, wandb_logger

logger = wandb_logger(Path(sys.argv[1]), "id", {}, mode="offline")
logger.log_metrics({"val/seg": 0.25}, step=1)
children = [c for c in psutil.Process().children() if c.name() == "wandb-core"]
for child in children:
    child.send_signal(getattr(signal, sys.argv[2]))
time.sleep(1)
alive = any(c.is_running() and c.status() != psutil.STATUS_ZOMBIE for c in children)
logger.log_metrics({"val/seg": 0.5}, step=2)
logger.log_metrics({"val/seg": 0.75}, step=3)
finish([logger], failed=False)
print("alive" if alive else "gone", "done", flush=True)
os._exit(0)  # W&B would tell of its loss once more
"""


@pytest.mark.parametrize(
    ("number", "end"),
    [("SIGTERM", "gone done"), ("SIGKILL", "gone done"), ("SIGUSR1", "done")],
)
def test_a_training_outlives_wandb(tmp_path: Path, number: str, end: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), number],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert end in done.stdout, done.stderr


def test_the_lost_process_is_reported_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = WandbLogger.__new__(WandbLogger)
    calls = []

    def lost(*_: object) -> None:
        calls.append(1)
        raise ConnectionResetError("Connection lost")

    with caplog.at_level(logging.WARNING):
        logger.attempt(lost)
        logger.attempt(lost)
    assert len(calls) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "W&B's process is gone (Connection lost). The run folder still holds all."
    ]


def test_checkpoints_are_uploaded_as_they_are_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = wandb.init(mode="offline", dir=tmp_path)
    path, uploaded = tmp_path / "best.ckpt", []
    monkeypatch.setattr(run, "log_artifact", lambda *_, **__: uploaded.append(path.read_text()))
    saved = ModelCheckpoint()
    saved.best_model_path = str(path)
    for status in ("success", "failed"):
        logger = WandbLogger(experiment=run, log_model=True)
        logger.after_save_checkpoint(saved)
        path.write_text("not fitted")
        logger.finalize(status)
        assert not uploaded
        path.write_text("fitted")
        logger.finish(failed=False)
        assert uploaded == (["fitted"] if status == "success" else [])
        uploaded.clear()


def test_other_errors_are_not_hidden() -> None:
    logger = WandbLogger.__new__(WandbLogger)
    with pytest.raises(KeyError):
        logger.attempt({}.__getitem__, "a")
