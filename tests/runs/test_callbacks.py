"""A user's callbacks are added to the project's, and never replace them."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from tests.running import TINY, Command

from unet_exp.runs.preparation import leave_out_null

#: A training whose scores no step changes.
STUCK = (
    "optimizer=sgd", "optimizer.lr=1e-12", "ema_decay=0", "model.norm=none", "scheduler=constant",
)  # fmt: skip
STOPPING = ("callbacks=early_stopping", "callbacks.early_stopping.patience=2")


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user's module with two callbacks. Only the state of one is plain."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "mine_of_test.py").write_text(
        "from pathlib import Path\n"
        "from lightning.pytorch import Callback\n"
        "class Count(Callback):\n"
        "    def __init__(self, file=None, last=None):\n"
        "        self.file, self.last, self.steps = file, last, 0\n"
        "    def on_train_batch_end(self, trainer, *_, **__):\n"
        "        self.steps += 1\n"
        "        if self.file: Path(self.file).write_text(str(self.steps))\n"
        "        trainer.should_stop = trainer.should_stop or self.steps == self.last\n"
        "    def state_dict(self): return {'steps': self.steps}\n"
        "    def load_state_dict(self, state): self.steps = state['steps']\n"
        "class Odd(Callback):\n"
        "    def state_dict(self): return {'path': Path('.')}\n"
        "    def on_save_checkpoint(self, trainer, module, checkpoint):\n"
        "        checkpoint['odd'] = Path('.')\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "mine_of_test", raising=False)


def summary(folder: str) -> dict[str, Any]:
    return json.loads(Path(folder, "summary.json").read_text())


def steps(folder: str) -> list[str]:
    with Path(folder, "metrics.csv").open(newline="") as file:
        return [row["step"] for row in csv.DictReader(file)]


@pytest.mark.usefixtures("mine")
def test_own_callbacks_add_to_the_projects(command: Command) -> None:
    own = ("+callbacks.mine._target_=mine_of_test.Count", "+callbacks.mine.file='steps (1).txt'")
    options = ("callbacks=[early_stopping,lr_monitor]", "logger=csv", "trainer.log_every_n_steps=1")
    done = command("train", *TINY, *own, *options, "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert Path("steps (1).txt").read_text() == "4"
    for name in ("metrics.csv", "progress.json", "checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        assert Path("run", name).exists()
    with Path("run/csv/version_0/metrics.csv").open(newline="") as file:
        assert any(row.get("lr-AdamW") for row in csv.DictReader(file))
    assert summary("run")["ended_by"] == "trainer.max_steps=4"
    assert "ended by    trainer.max_steps=4" in done.out
    config = torch.load("run/checkpoints/last.ckpt", weights_only=True)["config"]
    assert config["callbacks"]["mine"]["_target_"] == "mine_of_test.Count"


@pytest.mark.usefixtures("mine")
def test_a_resumed_run_keeps_the_state_of_own_callbacks(command: Command) -> None:
    words = [*TINY, "+callbacks.mine._target_=mine_of_test.Count", "+callbacks.mine.file=n.txt"]
    stop = "+callbacks.mine.last=2"
    assert command("train", *words, stop, "hydra.run.dir=run").code == 0
    assert steps("run") == ["2"]
    assert summary("run")["ended_by"] == "a callback, one of Count"
    done = command("train", *words, "hydra.run.dir=run", "resume=true")
    assert done.code == 0, done.err
    assert steps("run") == ["2", "4"]
    assert Path("n.txt").read_text() == "4"


@pytest.mark.usefixtures("mine")
def test_a_checkpoint_is_readable_whatever_callbacks_would_save(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ("+callbacks.mine._target_=mine_of_test.Odd", *STOPPING)
    done = command("train", *TINY, *own, "scheduler=constant", "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert done.out.count("The state of Odd is not saved") == 1
    held = torch.load("run/checkpoints/last.ckpt", weights_only=True)
    assert "odd" not in held
    assert "Odd" not in held["callbacks"]
    assert any(key.startswith("EarlyStopping") for key in held["callbacks"])
    # Neither a score nor another training builds them, or needs their module.
    monkeypatch.setattr(sys, "path", [p for p in sys.path if not p.endswith("modules")])
    monkeypatch.delitem(sys.modules, "mine_of_test")
    done = command("evaluate", "run=run", "pictures=0", "hydra.run.dir=scores")
    assert done.code == 0, done.err
    more = ("ckpt_path=run/checkpoints/last.ckpt", "trainer.max_steps=6", "scheduler=constant")
    done = command("train", *TINY, *more, "hydra.run.dir=more")
    assert done.code == 0, done.err
    assert steps("more") == ["6"]


def test_a_score_that_does_not_improve_ends_the_training_with_a_message(command: Command) -> None:
    words = (*TINY, *STUCK, *STOPPING, "trainer.max_steps=20", "monitor.metric=pixel_error")
    done = command("train", *words, "hydra.run.dir=run")
    assert done.code == 0, done.err
    # The first validation is the best, and two follow that are no better.
    assert steps("run") == ["2", "4", "6"]
    told = summary("run")
    assert (told["state"], told["steps"]) == ("finished", 6)
    expected = "early stopping: val/pixel_error did not improve in 2 validations (best "
    assert told["ended_by"].startswith(expected)
    assert expected in done.out

    # What it has ended has ended still; with more patience it goes on from there.
    assert command("train", *words, "hydra.run.dir=run", "resume=true").code == 0
    assert steps("run") == ["2", "4", "6"]
    assert summary("run")["ended_by"].startswith(expected)
    more = "callbacks.early_stopping.patience=3"
    assert command("train", *words, more, "hydra.run.dir=run", "resume=true").code == 0
    assert steps("run") == ["2", "4", "6", "8"]


def test_two_processes_end_at_one_step(command: Command) -> None:
    words = ("trainer.max_steps=20", "trainer.devices=2", "monitor.metric=pixel_error")
    several = "callbacks=[early_stopping,lr_monitor]"
    done = command("train", *TINY, *STUCK, STOPPING[1], several, *words, "hydra.run.dir=run")
    assert done.code == 0, done.err
    assert steps("run") == ["2", "4", "6"]
    assert summary("run")["state"] == "finished"
    assert summary("run")["ended_by"].startswith("early stopping: ")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["+callbacks.x._target_=builtins.dict"], "no lightning.pytorch.Callback but dict"),
        (["+callbacks.x.patience=3"], "callbacks.x names no class"),
        (["+callbacks.x=5"], "callbacks.x names no class"),
        ([*STOPPING, "callbacks.early_stopping.monitor=val/det"], "or add it: metric=[det]"),
        (
            [*STOPPING, "callbacks.early_stopping.monitor=val/pixel_error"],
            "Give callbacks.early_stopping.mode=min.",
        ),
        ([*STOPPING, "callbacks.early_stopping.patience=0"], "patience=0"),
        (
            [
                "+callbacks.k._target_=lightning.pytorch.callbacks.ModelCheckpoint",
                "+callbacks.k.monitor=val/sge",
            ],
            "callbacks.k.monitor=val/sge is not measured",
        ),
        ([*STOPPING, "callbacks.early_stopping.monitor=val_loss"], "=val_loss is not measured"),
        (
            [*STOPPING, "callbacks.early_stopping.monitor=train/loss"],
            "Give callbacks.early_stopping.mode=min.",
        ),
        (
            ["+callbacks.k._target_=lightning.pytorch.callbacks.ModelCheckpoint"],
            "cannot tell callbacks.*=ModelCheckpoint from another",
        ),
    ],
)
def test_objects_that_are_no_callbacks_or_watch_no_score_are_refused(
    command: Command, words: list[str], named: str
) -> None:
    done = command("train", *TINY, *words)
    assert done.code == 1
    assert named in done.err
    assert not list(Path.cwd().rglob("*.ckpt"))


def test_null_leaves_a_callback_and_a_metric_out() -> None:
    cfg = OmegaConf.create({"callbacks": {"a": None, "b": {"c": 1}}, "metric": {"iou": None}})
    leave_out_null(cfg)
    assert cfg == {"callbacks": {"b": {"c": 1}}, "metric": {}}
