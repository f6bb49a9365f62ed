"""A training within a job of SLURM, with stand-ins for SLURM's commands."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.running import TINY, Command

from unet_exp.commands import entry
from unet_exp.configuration.overrides import CommandLine

ROOT = Path(__file__).parents[2]
FEW = (*TINY, "model.depth=1", "loader.steps_per_validation=30")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Simulate the running job 7. The returned file holds the calls of scontrol."""
    asked = tmp_path / "bin" / "asked"
    asked.parent.mkdir()
    for name, does in (("squeue", "echo 7 ${STATE:-RUNNING}"), ("scontrol", f"echo $@ >> {asked}")):
        path = asked.parent / name
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{asked.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    return asked


def preempted(*words: str) -> subprocess.CompletedProcess[str]:
    """Start a training, and ask it to stop once it has begun."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while not list(Path("outputs").rglob("last.ckpt")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGUSR1)
        out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.mark.parametrize("sweep", [False, True])
def test_a_requeued_job_continues_in_its_folder(
    command: Command, slurm: Path, monkeypatch: pytest.MonkeyPatch, sweep: bool
) -> None:
    words = (*FEW, "trainer.max_steps=300")
    words = ("-m", *words, "seed=3,4") if sweep else (*words, "seed=3")
    ended = preempted(*words)
    assert ended.returncode == 75, ended.stderr
    assert "queued again" in ended.stderr
    assert slurm.read_text() == "requeue 7\n"
    (record,) = Path("outputs").rglob("summary.json")
    before = json.loads(record.read_text())
    assert before["state"] == "preempted"
    assert 0 < before["steps"] < 300

    # The job's script runs again from its top.
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    done = command("train", *words)
    assert done.code == 0, done.err
    after = json.loads(record.read_text())
    assert (after["state"], after["steps"]) == ("finished", 300)
    assert after["run_id"] == before["run_id"]
    assert len(list(Path("outputs").rglob("summary.json"))) == 1 + sweep


def test_a_cancelled_job_is_not_requeued(
    command: Command, slurm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE", "COMPLETING")
    ended = preempted(*FEW, "trainer.max_steps=5000")
    assert ended.returncode == 75, ended.stderr
    assert not slurm.exists()


@pytest.mark.parametrize(
    ("words", "record", "more"),
    [
        (
            ["data_dir=my data"],
            "runs/a/1/summary.json",
            ['hydra.run.dir="outputs/runs/a/1"', "resume=true"],
        ),
        (["sweep=folds"], "sweeps/a/1/sweep.json", ['sweep.resume="outputs/sweeps/a/1"']),
    ],
)
def test_a_requeued_command_finds_its_record(
    tmp_path: Path,
    slurm: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    words: list[str],
    record: str,
    more: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    path = Path("outputs", record)
    path.parent.mkdir(parents=True)
    quoted = CommandLine.read(words, "train").words()
    said = shlex.join(["python", "train.py", *quoted])
    path.write_text(json.dumps({"slurm_job_id": "7", "command": said}))
    started: list[list[str]] = []

    def note(line: CommandLine) -> CommandLine:
        started.append(line.words())
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["train.py", *words])
    monkeypatch.setattr(entry, "with_resumed", note)
    with pytest.raises(SystemExit):
        entry.launch(lambda _: None, "train")
    assert started == [[*quoted, *more]]
