"""Run the commands as a person would, in this process: argv in, exit code and text out."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from unet_exp.commands import evaluate, predict, train

MAINS = {"train": train.main, "evaluate": evaluate.main, "predict": predict.main}
#: A run of seconds: 8 tiny tiles, 4 steps, 2 validations.
TINY = (
    "model.depth=2",
    "model.base_channels=2",
    "dataset.size=64",
    "loader.tile=48",
    "loader.batch_size=1",
    "loader.steps_per_validation=2",
    "trainer=cpu",
    "trainer.max_steps=4",
    "trainer.precision=32-true",
    "logger=none",
)


@dataclass
class Finished:
    code: int
    out: str
    err: str


Command = Callable[..., Finished]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """``command("train", "a=b", ...)``, started in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(name: str, *arguments: str) -> Finished:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
        monkeypatch.setattr(os, "environ", os.environ.copy())
        GlobalHydra.instance().clear()
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            MAINS[name]()
        captured = capsys.readouterr()
        return Finished(int(end.value.code or 0), captured.out, captured.err)

    return run
