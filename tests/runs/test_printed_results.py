"""What a training prints at its end."""

import shlex
from pathlib import Path

import pytest

from unet_exp.configuration.overrides import CommandLine
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.printed_results import next_commands, print_results


@pytest.mark.parametrize("made_up", [True, False])
def test_three_commands_to_type_next_name_the_run(
    made_up: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["train.py"])
    lines = next_commands(RunFolder(tmp_path / "outputs" / "a b"), made_up)
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
    _, evaluate, _ = next_commands(RunFolder(tmp_path), made_up=False)
    assert "dataset.root=my images" in shlex.split(evaluate)


def test_an_installed_command_suggests_installed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/unet-train"])
    lines = next_commands(RunFolder(Path("/elsewhere/run")), made_up=False)
    assert [line.split()[0] for line in lines] == ["unet-predict", "unet-evaluate", "unet-train"]
    assert "checkpoint=/elsewhere/run" in lines[0]


def test_the_report_is_named_if_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = RunFolder(tmp_path)
    for there in (False, True):
        print_results(folder, {"step": 4.0, "val/seg": 0.5}, None, [], "trainer.max_steps=4", True)
        out = capsys.readouterr().out
        assert (f"report      {folder.report}" in out) == there
        assert ("What to type next:" in out) == there  # there is a checkpoint
        folder.report.touch()
        folder.checkpoints.mkdir(exist_ok=True)
        folder.best.touch()
