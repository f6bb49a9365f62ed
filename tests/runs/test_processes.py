"""Several processes of one training: composed once, one record, failures reported at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from omegaconf import OmegaConf
from tests.running import TINY, Command

ROOT = Path(__file__).parents[2]
TWO = (*TINY, "model.depth=1", "trainer.devices=2")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_two_processes_leave_one_record(command: Command) -> None:
    done = command("train", *TWO, "hydra.run.dir=run")
    assert done.code == 0, done.err
    summary = json.loads(Path("run/summary.json").read_text())
    assert (summary["state"], summary["steps"]) == ("finished", 4)
    config = OmegaConf.load("run/config.yaml")
    assert config.trainer.devices == 2
    assert len(list(Path.cwd().rglob("summary.json"))) == 1
    assert {path.name for path in Path("run/checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    again = command("train", *TWO, "hydra.run.dir=run")
    assert again.code == 1
    assert "already holds a run" in again.err
    assert json.loads(Path("run/summary.json").read_text()) == summary


def test_an_error_of_a_rank_is_reported_once_with_its_message(command: Command) -> None:
    explode = ("optimizer=sgd", "optimizer.lr=1e30", "scheduler=constant")
    failed = command("train", *TWO, *explode, "trainer.max_steps=6", "hydra.run.dir=run")
    assert failed.code == 1
    assert failed.err.startswith("Error: The loss of step ")
    assert failed.err.count("\n") == 1
    summary = json.loads(Path("run/summary.json").read_text())
    assert summary["state"] == "failed"
    assert "loss of step" in summary["error"]


def test_a_rank_that_dies_ends_the_job_with_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = [*TWO, "trainer.max_steps=100000", f"hydra.run.dir={folder}"]
    with subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        deadline = time.monotonic() + 120
        while not (folder / "checkpoints" / "last.ckpt").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        ranks = [
            one
            for one in psutil.Process(process.pid).children(recursive=True)
            if one.environ().get("RANK") == "1"
        ]
        ranks[0].send_signal(signal.SIGKILL)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.startswith("Error: A process of the training was ended by SIGKILL."), told
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["state"] == "failed"
    assert "SIGKILL" in summary["error"]
    assert not [one for one in ranks if one.is_running()]


def torchrun(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "UNET_EXP_CACHE": str(tmp_path / "cache")}
    return subprocess.run(
        [*start, str(ROOT / "train.py"), *words],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip


def test_torchrun_composes_once(tmp_path: Path) -> None:
    words = [word for word in TWO if not word.startswith("trainer.devices")]
    done = torchrun(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    (summary,) = tmp_path.rglob("summary.json")
    assert json.loads(summary.read_text())["state"] == "finished"
    assert OmegaConf.load(summary.parent / "config.yaml").trainer.devices == 2
    sweep = torchrun(tmp_path, "-m", *words, "seed=1,2")
    assert sweep.returncode != 0
    assert "Leave torchrun out" in sweep.stderr
    wrong = torchrun(tmp_path, *words, "model.depth=9")
    assert wrong.returncode != 0
    assert wrong.stderr.count("Error: model.depth=9 is out of range.") >= 1
