"""What a training prints at its end."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from unet_exp.configuration.overrides import CommandLine
from unet_exp.datasets.synthetic import Synthetic
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.printed_results import next_commands, print_results


class Cells(Synthetic):
    """A data set of people who do not say how many folds it has."""

    name = "cells"


OWN = Cells()


@pytest.mark.parametrize("made_up", [True, False])
def test_three_commands_to_type_next_name_the_run(
    made_up: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train.py"])
    data = Synthetic() if made_up else OWN
    lines = next_commands(RunFolder(tmp_path / "outputs" / "a b"), data)
    assert len(lines) == 3
    assert any("checkpoint='outputs/a b'" in line for line in lines)
    assert made_up == any("dataset.root=DIR" in line for line in lines)
    for line in lines:
        python, script, *words = shlex.split(line, comments=True)
        assert python == "python"
        CommandLine.read(words, script.removesuffix(".py"))  # it can be read
        assert "  # " in line


def test_own_images_are_named_to_score_them(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("dataset: {root: my images}")
    _, evaluate, _ = next_commands(RunFolder(tmp_path), OWN)
    assert "dataset.root=my images" in shlex.split(evaluate)


@pytest.mark.parametrize(
    ("folds", "varied"),
    [
        (5, "dataset.fold=0,1,2,3,4"),
        (100, "dataset.fold=range(100)"),
        (2, "dataset.fold=0,1"),
        (1, "seed=0,1,2"),  # with a folder validation/
        (None, "seed=0,1,2"),
        ([[0, 1], [2]], "seed=0,1,2"),  # an attribute of somebody's class, with another meaning
    ],
)
def test_the_folds_that_there_are_are_suggested(folds: Any, varied: str, tmp_path: Path) -> None:
    data: Any = Cells()
    data.folds = folds
    *_, spread = next_commands(RunFolder(tmp_path), data)
    assert shlex.split(spread, comments=True)[2:] == ["-m", varied, "..."]


def test_an_installed_command_suggests_installed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/unet-train"])
    lines = next_commands(RunFolder(Path("/elsewhere/run")), OWN)
    assert [line.split()[0] for line in lines] == ["unet-predict", "unet-evaluate", "unet-train"]
    assert "checkpoint=/elsewhere/run" in lines[0]


def test_the_report_is_named_if_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder(tmp_path)
    for there in (False, True):
        print_results(folder, {"step": 4.0, "val/seg": 0.5}, None, [], "trainer.max_steps=4", OWN)
        out = capsys.readouterr().out
        assert (f"report      {folder.report}" in out) == there
        assert ("What to type next:" in out) == there  # there is a checkpoint
        folder.report.touch()
        folder.checkpoints.mkdir(exist_ok=True)
        folder.best.touch()
