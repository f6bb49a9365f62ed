import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from lightning.pytorch.callbacks import Timer
from rich.console import Console

from unet_exp.records.run_folder import RunFolder
from unet_exp.training import progress
from unet_exp.training.progress import ProgressBar


def trainer(step: int, **metrics: float) -> Any:
    return SimpleNamespace(
        global_step=step,
        max_steps=40,
        is_global_zero=True,
        sanity_checking=False,
        num_val_batches=[3],
        log_every_n_steps=10,
        accumulate_grad_batches=1,
        callbacks=[],
        callback_metrics={name.replace("_", "/"): value for name, value in metrics.items()},
    )


def shown(terminal: bool, width: int = 120) -> str:
    text = io.StringIO()
    bar = ProgressBar("val/seg", console=Console(file=text, force_terminal=terminal, width=width))
    module = cast(Any, None)
    bar.on_train_start(trainer(0), module)
    bar.on_train_batch_end(trainer(10), module, {"loss": torch.tensor(0.25)}, None, 0)
    now = trainer(10, val_loss=0.5, val_seg=0.75)
    bar.on_validation_start(now, module)
    bar.on_validation_batch_end(now, module)
    bar.on_validation_end(now, module)
    bar.on_train_end(now, module)
    return text.getvalue()


def test_a_file_gets_one_line_per_validation() -> None:
    (line,) = shown(terminal=False).splitlines()
    assert line.startswith("step 10/40  loss 0.250  val/loss 0.500  val/seg 0.750")
    assert line.endswith("s left")


def test_a_terminal_gets_a_bar() -> None:
    text = shown(terminal=True)
    assert "10/40" in text
    assert "loss 0.250" in text


def test_no_loss_is_shown_before_the_first_is_known() -> None:
    for terminal in (True, False):
        text = io.StringIO()
        console = Console(file=text, force_terminal=terminal, width=120)
        bar, module = ProgressBar("val/seg", console=console), cast(Any, None)
        bar.on_train_start(trainer(0), module)
        bar.on_validation_start(trainer(0), module)
        bar.on_validation_end(trainer(0, val_seg=0.75), module)
        assert bar.scores() == "val/seg 0.750"
        # The first step's loss is shown, whatever the interval of logging.
        bar.on_train_batch_end(trainer(1), module, {"loss": torch.tensor(0.25)}, None, 0)
        bar.on_train_end(trainer(1), module)
        assert "loss 0.250" in bar.scores()
        assert "nan" not in text.getvalue()


@pytest.mark.parametrize("metric", ["val/seg", "val/average_precision"])
@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_a_long_training_fits_the_screen(width: int, metric: str) -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=width)
    bar, module = ProgressBar(metric, console=console), cast(Any, None)
    now = trainer(12_345)
    now.max_steps = 50_000
    now.callback_metrics = {"val/loss": 0.5, metric: 0.75}
    bar.on_train_start(now, module)
    bar.on_validation_start(now, module)
    bar.on_validation_end(now, module)
    bar.on_train_batch_end(now, module, {"loss": torch.tensor(0.25)}, None, 0)
    bar.on_train_end(now, module)
    last = text.getvalue().rsplit("step", 1)[1]
    assert "12345/50000" in last
    assert f"{metric} 0.750" in last
    assert "…" not in last
    assert ("val/loss" in last) == (width >= 140 or (metric == "val/seg" and width == 100))


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def silent(path: Path) -> ProgressBar:
    return ProgressBar("val/seg", RunFolder(path.parent), Console(file=io.StringIO()))


def test_a_file_has_the_progress(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "run" / "progress.json"
    bar, module = silent(path), cast(Any, None)
    bar.on_train_start(trainer(0), module)
    start = {"step": 0, "steps": 40, "seconds": 0, "left": None, "loss": None, "score": None}
    assert json.loads(path.read_text()) == start
    clock.now += 5
    bar.on_train_batch_end(trainer(10), module, {"loss": torch.tensor(0.25)}, None, 0)
    now = {"step": 10, "steps": 40, "seconds": 5, "left": 15, "loss": 0.25, "score": None}
    assert json.loads(path.read_text()) == now
    clock.now += 5
    validated = trainer(10, val_loss=0.5, val_seg=0.75)
    bar.on_validation_start(validated, module)
    bar.on_validation_batch_end(validated, module)
    assert json.loads(path.read_text()) == {**now, "seconds": 10, "left": 30}
    bar.on_validation_end(validated, module)
    assert json.loads(path.read_text())["score"] == 0.75
    bar.on_train_end(trainer(40), module)
    assert json.loads(path.read_text())["step"] == 40
    assert [p.name for p in path.parent.iterdir()] == ["progress.json"]


def test_the_file_is_written_once_a_second_at_most(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "progress.json"
    bar, module = silent(path), cast(Any, None)
    bar.on_train_start(trainer(0), module)
    steps = []
    for step in range(1, 21):
        clock.now += 0.25
        bar.on_train_batch_end(trainer(step), module, {"loss": torch.tensor(0.5)}, None, 0)
        steps.append(json.loads(path.read_text())["step"])
    assert sorted(set(steps)) == [0, 4, 8, 12, 16, 20]


def test_a_resumed_training_counts_its_own_steps_and_its_own_time(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "progress.json"
    bar, module = silent(path), cast(Any, None)
    bar.on_train_start(trainer(20), module)
    clock.now += 10
    bar.on_train_batch_end(trainer(30), module, {"loss": torch.tensor(0.5)}, None, 0)
    assert json.loads(path.read_text())["left"] == 10
    # The clock ends it before its steps do.
    timed = trainer(31)
    timed.callbacks = [Timer({"seconds": 4})]
    clock.now += 1
    bar.on_train_batch_end(timed, module, {"loss": torch.tensor(0.5)}, None, 0)
    assert json.loads(path.read_text())["left"] == 4


def test_other_processes_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    bar, module = silent(path), cast(Any, None)
    other = trainer(0)
    other.is_global_zero = False
    bar.on_train_start(other, module)
    bar.on_train_batch_end(other, module, {"loss": torch.tensor(0.5)}, None, 0)
    bar.on_train_end(other, module)
    assert not path.exists()


def test_a_training_outlives_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the folder should be")
    bar, module = silent(tmp_path / "run" / "progress.json"), cast(Any, None)
    bar.on_train_start(trainer(0), module)
    bar.on_train_end(trainer(40), module)
    assert bar.written > 0


def test_the_end_is_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    bar = ProgressBar("val/seg", console=Console(file=shown, width=200))
    monkeypatch.setattr(progress, "FORESEEN", (10, 0.0))
    monkeypatch.setattr(bar, "times", lambda trainer: (50.0, 3600.0))
    for step in (1, 9, 10, 11):
        bar.foresee_end(trainer(step))
        assert shown.getvalue().count("ends at about") == (step >= 10)
    assert "give trainer.budget=10min" in shown.getvalue()
