"""The postprocessing is fitted at the end of a training, and later commands use the fit."""

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from tests.running import TINY, Command
from tests.training.fitting import At

from unet_exp.records.run_folder import RunFolder
from unet_exp.runs import final_fit, fit
from unet_exp.runs.final_fit import Spaced, fit_postprocessing, log_gains, obstacle
from unet_exp.training.tuned_postprocessing import Gain, TunedPostprocessing
from unet_exp.training.waiting import DataWait

#: The network of so few steps finds no object that counts at an IoU of one half.
FITTED = (
    *TINY,
    "postprocessing.fit=true",
    "monitor.metric=seg",
    "hydra.run.dir=run",
)


def image(*labels: int, by_class: bool = False) -> dict[str, Any]:
    return {"labels": torch.tensor([labels]), "by_class": by_class}


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ([image(0, 1)], "two or more validation images"),
        ([image(0, 0), image(0, -1)], "no object"),
        ([image(0, 1, by_class=True)] * 2, "classes"),
        ([image(0, 0), image(0, 1)], ""),
    ],
)
def test_images_that_cannot_be_fitted_to(images: list[dict[str, Any]], told: str) -> None:
    why = obstacle(images)
    assert told in why
    assert bool(why) == bool(told)


def test_images_are_spaced_evenly() -> None:
    assert list(Spaced("abcdefg", range(0, 7, 3))) == ["a", "d", "g"]


def test_a_run_without_a_checkpoint_has_nothing_to_fit(tmp_path: Path) -> None:
    nothing: Any = None
    cfg = OmegaConf.create({})
    found = fit_postprocessing(cfg, nothing, RunFolder(tmp_path), torch.device("cpu"))
    assert found is None


def test_a_failed_fit_does_not_invalidate_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    torch.save({"config": {}, "state_dict": {}}, folder.best)

    def fail(*_: Any) -> Any:
        raise RuntimeError("no memory")

    monkeypatch.setattr(final_fit, "chosen_images", fail)
    cfg = OmegaConf.create({"postprocessing": {"fit": True}, "trainer": {"limit_val_batches": 1.0}})
    nothing: Any = None
    with caplog.at_level(logging.WARNING):
        assert fit_postprocessing(cfg, nothing, folder, torch.device("cpu")) is None
    assert "could not be fitted" in caplog.text
    assert "no memory" in caplog.text


def test_loggers_get_each_score_by_its_kind() -> None:
    logged = []

    class Logger:
        def log_metrics(self, scores: dict[str, float], step: int) -> None:
            logged.append((scores, step))

        def save(self) -> None:
            logged.append("saved")

    nothing: Any = None
    tuned = TunedPostprocessing("seg", True, 4, nothing, {"seg": Gain(0.5, 0.75, 0.625)})
    log_gains([Logger()], tuned, 7)
    assert logged == [({"fitted/seg": 0.75, "left_out/seg": 0.625}, 7), "saved"]
    log_gains([Logger()], None, 7)
    assert len(logged) == 2


def evaluation(command: Command, *words: str) -> dict[str, Any]:
    done = command("evaluate", "run=run", "pictures=0", "hydra.run.dir=evaluation", *words)
    assert done.code == 0, done.err
    return json.loads(Path("evaluation/evaluation.json").read_text()) | {"out": done.out}


def test_from_training_to_evaluation(command: Command) -> None:
    done = command("train", *FITTED)
    assert done.code == 0, done.err
    assert "left out" in done.out
    summary = json.loads(Path("run/summary.json").read_text())
    kept = summary["fitted_postprocessing"]
    assert (kept["criterion"], kept["images"]) == ("seg", 4)
    assert kept["values"]
    seg = kept["scores"]["seg"]
    assert seg["unfitted"] == pytest.approx(summary["scores"]["val/seg"])
    assert seg["fitted"] > seg["unfitted"]
    folder = RunFolder(Path("run"))
    for path in (folder.best, folder.last):
        held = torch.load(path, weights_only=True)
        assert held["fitted_postprocessing"]["values"] == kept["values"]
        assert held["config"]["postprocessing"]["threshold"] == 0.5

    found = evaluation(command)
    assert found["scores"]["seg"] == pytest.approx(seg["fitted"])
    assert "fitted to 4 validation images at the end of training" in " ".join(found["out"].split())
    unfitted = evaluation(command, "postprocessing.fit=false")
    assert unfitted["scores"]["seg"] == pytest.approx(seg["unfitted"])
    assert "not fitted to validation images" in " ".join(unfitted["out"].split())
    mine = evaluation(command, "postprocessing.threshold=0.7")["postprocessing"]
    assert mine["threshold"] == 0.7
    assert mine.items() >= {k: v for k, v in kept["values"].items() if k != "threshold"}.items()

    # Resumed with nothing to train, it fits again, or takes the fit away.
    assert command("train", *FITTED, "resume=true").code == 0
    assert json.loads(Path("run/summary.json").read_text())["fitted_postprocessing"] == kept
    assert command("train", *FITTED, "resume=true", "postprocessing.fit=false").code == 0
    assert json.loads(Path("run/summary.json").read_text())["fitted_postprocessing"] is None
    assert "fitted_postprocessing" not in torch.load(folder.best, weights_only=True)


def test_a_signal_during_the_fit_leaves_it_to_a_resumed_run(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def signalled(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGUSR1)
        arguments[-1]()
        raise AssertionError("The fit was not stopped.")

    with monkeypatch.context() as patch:
        patch.setattr(fit, "fit_postprocessing", signalled)
        assert command("train", *FITTED).code == 75
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["state"], summary["steps"]) == ("preempted", 4)
    assert summary["fitted_postprocessing"] is None
    assert command("train", *FITTED, "resume=true").code == 0
    summary = json.loads(Path("run/summary.json").read_text())
    assert summary["state"] == "finished"
    assert summary["fitted_postprocessing"]["images"] == 4


@pytest.mark.parametrize(
    ("reason", "in_terminal", "fits"),
    [
        (None, False, True),
        ("interrupted", True, True),
        ("interrupted", False, False),
        ("preempted", True, False),
        ("pruned", True, False),
    ],
)
def test_only_trainings_stopped_in_a_terminal_are_fitted(
    tmp_path: Path, *, reason: str | None, in_terminal: bool, fits: bool
) -> None:
    folder = RunFolder(tmp_path)
    assert fit.is_worth_fitting(reason, folder, in_terminal) == (reason is None)
    folder.checkpoints.mkdir()
    folder.best.touch()
    assert fit.is_worth_fitting(reason, folder, in_terminal) == fits


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C comes during the second step, after which there is a validation."""
    monkeypatch.setattr(fit, "DataWait", lambda: At(2, interrupt))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupted")
def test_a_training_that_ctrl_c_ends_is_fitted(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("train", *FITTED).code == 130
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["state"], summary["steps"]) == ("interrupted", 2)
    kept = summary["fitted_postprocessing"]
    assert kept["images"] == 4
    held = torch.load(RunFolder(Path("run")).best, weights_only=True)
    assert held["fitted_postprocessing"] == kept
    monkeypatch.setattr(fit, "DataWait", DataWait)
    assert command("train", *FITTED, "resume=true").code == 0
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["state"], summary["steps"]) == ("finished", 4)


@pytest.mark.usefixtures("interrupted")
def test_a_second_ctrl_c_skips_the_fit(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(*_: Any) -> Any:
        interrupt()
        raise AssertionError("The fit was not stopped.")

    monkeypatch.setattr(final_fit, "tune_postprocessing", again)
    assert command("train", *FITTED).code == 130
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["state"], summary["fitted_postprocessing"]) == ("interrupted", None)
    held = torch.load(RunFolder(Path("run")).best, weights_only=True)
    assert "fitted_postprocessing" not in held


@pytest.mark.usefixtures("interrupted")
def test_a_signal_stops_the_fit_after_ctrl_c(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def signalled(*arguments: Any) -> Any:
        watch = arguments[-1]
        watch()  # Ctrl-C alone does not stop it
        os.kill(os.getpid(), signal.SIGTERM)
        watch()
        raise AssertionError("The fit was not stopped.")

    monkeypatch.setattr(final_fit, "tune_postprocessing", signalled)
    assert command("train", *FITTED).code == 75
    assert json.loads(Path("run/summary.json").read_text())["state"] == "preempted"


def test_a_given_value_is_not_fitted(command: Command) -> None:
    done = command("train", *FITTED, "postprocessing.threshold=0.6")
    assert done.code == 0, done.err
    kept = json.loads(Path("run/summary.json").read_text())["fitted_postprocessing"]
    assert "threshold" not in kept["values"]
