"""Sweeps from the command line: refused, partly failed, killed, and resumed."""

import contextlib
import json
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
import torch

from tests.running import TINY, TINY_FILES, Command, Finished, own_images
from tests.test_files import killed_with_a_temporary_folder
from unet_exp.sweeps.runner import SweepRunner

ROOT = Path(__file__).parents[2]
FEW = (*TINY, "model.depth=1")
#: A step of this size makes the loss infinite at once.
EXPLODES = "1e+30"


def summary(job: Path) -> dict[str, object]:
    return json.loads((job / "summary.json").read_text())


def state_of(folder: Path) -> list[str]:
    jobs = json.loads((folder / "sweep.json").read_text())["jobs"]
    return [str(summary(folder / job["folder"])["state"]) for job in jobs]


def message(done: Finished) -> str:
    assert done.code == 1
    assert done.err.startswith("Error: "), done.err
    assert done.err.count("\n") == 1, done.err
    return done.err.removeprefix("Error: ").strip()


@pytest.mark.parametrize(
    ("words", "job", "fact"),
    [
        (["model.depth=1,9"], "Job 1 (model.depth=9)", "model.depth=9 is out of range"),
        (["model.depth=1,two"], "Job 1 (model.depth=two)", "model.depth=two is not a whole"),
        (["model.depth=2", "loader.tile=48,50"], "Job 1 (loader.tile=50)", "48 or 52"),
        (["model.padding=same,vlid"], "Job 1 (model.padding=vlid)", "valid"),
        (["optimizer.lr=0.1,-1"], "Job 1 (optimizer.lr=-1)", "-1"),
        (["seed=0,x"], "Job 1 (seed=x)", "seed=x is not a whole number"),
        (["metric=[seg],[iou]", "monitor.metric=dise"], "Job 0 (metric=[seg])", "dise"),
        (["monitor.mode=max,min"], "Job 1 (monitor.mode=min)", "monitor.mode=max"),
        (["dataset=folder", "dataset.root=own", "dataset.fold=0,9"], "Job 1 (dataset.fold=9)", "9"),
        (["trainer.devices=1,0"], "Job 1 (trainer.devices=0)", "0"),
        (["trainer.precision=32-true,33"], "Job 1 (trainer.precision=33)", "33"),
        (["trainer=cpu,gpu"], "Job 1 (trainer=gpu)", "trainer=cpu"),
        (["ckpt_path=null,no.ckpt"], "Job 1 (ckpt_path=no.ckpt)", "No checkpoint at no.ckpt"),
        (["preview=false,true"], "Job 1 (preview=True)", "trains nothing"),
        (["pictures.every=1,0"], "Job 1 (pictures.every=0)", "pictures.every=0"),
    ],
)  # fmt: skip
def test_a_bad_value_refuses_the_sweep_and_names_its_job(
    command: Command, words: list[str], job: str, fact: str
) -> None:
    own_images(Path("own"))
    base = TINY_FILES if "dataset=folder" in words else FEW
    told = message(command("train", "-m", *base, *words, "hydra.sweep.dir=sweep"))
    assert told.startswith(job), told
    assert fact in told
    assert told.endswith("No job was started.")
    assert not Path("sweep").exists()


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["model.dpth=1,2"], "Did you mean model.depth=1? No job was started."),
        (["sweep=fold"], "There is no sweep=fold. Did you mean sweep=folds?"),
        (["dataset=synthetic,cats"], "There is no dataset=cats"),
        (["optimizer.lr=interval(0.1,1)"], "hydra/sweeper=optuna"),
        (["sweep.resume=nowhere"], "sweep.resume=nowhere holds no sweep"),
        (["seed=0,1", "hydra/launcher=rey"], "There is no hydra/launcher=rey"),
    ],
)
def test_words_that_make_no_sweep_are_refused(
    command: Command, words: list[str], fact: str
) -> None:
    assert fact in message(command("train", "-m", *FEW, *words, "hydra.sweep.dir=sweep"))
    assert not Path("sweep").exists()


def test_a_failed_job_does_not_stop_the_others_and_is_run_again(command: Command) -> None:
    rates = ("optimizer=sgd", "scheduler=constant", f"optimizer.lr={EXPLODES},0.01")
    done = command("train", "-m", *FEW, *rates, "hydra.sweep.dir=sweep")
    told = message(done)
    assert told.startswith(f"1 of 2 jobs did not finish: job 0 (optimizer.lr={EXPLODES}).")
    assert "sweep.resume=sweep" in told
    folder = Path("sweep")
    assert state_of(folder) == ["failed", "finished"]
    assert "loss of step" in str(summary(folder / "0")["error"])
    assert "FloatingPointError" in (folder / "0" / "train.log").read_text()
    assert "loss of step" in done.out  # in the table
    command_line = str(summary(folder / "1")["command"])
    assert command_line.startswith("python train.py ")
    assert "optimizer.lr=0.01" in command_line

    # Of the same sweep: one more value, and the failed job again.
    before = (folder / "1" / "summary.json").stat().st_mtime_ns
    rates = (*rates[:2], f"optimizer.lr={EXPLODES},0.01,0.02")
    again = command("train", "-m", *FEW, *rates, "sweep.resume=sweep")
    assert message(again).startswith("1 of 3 jobs")
    assert state_of(folder) == ["failed", "finished", "finished"]
    assert (folder / "1" / "summary.json").stat().st_mtime_ns == before

    # Without words it is all of the sweep that goes on, also the job that was added.
    shutil.rmtree(folder / "2")
    again = command("train", "sweep.resume=sweep")
    assert message(again).startswith("1 of 3 jobs")
    assert state_of(folder) == ["failed", "finished", "finished"]

    other = message(command("train", "-m", *FEW, "seed=5", *rates, "sweep.resume=sweep"))
    assert other.startswith("sweep holds another sweep, whose jobs were started without seed=5.")
    new = message(command("train", "-m", *FEW, *rates, "hydra.sweep.dir=sweep"))
    assert new.startswith("sweep already holds a sweep. To go on with it, add sweep.resume=sweep")


def test_runs_of_no_sweep_are_not_counted_as_jobs(command: Command) -> None:
    record = Path("sweep/1/summary.json")
    record.parent.mkdir(parents=True)
    record.write_text('{"state": "finished", "score": 0.9}')
    told = message(command("train", "-m", *FEW, "seed=0,1", "hydra.sweep.dir=sweep"))
    assert told.startswith("sweep holds runs (1) of which no sweep.json tells")


def kill_tree(pid: int) -> None:
    """Kill a process and its children; one that has ended by itself is left alone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.real)])
def test_a_sweep_killed_at_any_moment_ends_as_one_that_was_not(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # another number of threads sums in another order
    words = (*FEW, "trainer.max_steps=12", "model.dropout=0.5", "seed=0,1")
    assert command("train", "-m", *words, "hydra.sweep.dir=whole").code == 0

    killed = tmp_path / "killed"
    start = [sys.executable, str(ROOT / "train.py"), "-m", *words, f"hydra.sweep.dir={killed}"]
    seed = random.randrange(1000)
    print(f"moments of seed {seed}")  # shown if the test fails
    moments = random.Random(seed)
    for _ in range(kills):
        with subprocess.Popen(start, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + 120
            while not (killed / "sweep.json").exists() and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            time.sleep(moments.uniform(0, 12))
            kill_tree(process.pid)
        start = [*start[:2], "-m", f"sweep.resume={killed}"]
    done = subprocess.run(start, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for job in ("0", "1"):
        weights = [
            torch.load(folder / job / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
            for folder in (Path("whole"), killed)
        ]
        assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
        scores = [summary(folder / job)["score"] for folder in (Path("whole"), killed)]
        assert scores[0] == scores[1]


def test_two_processes_do_not_share_a_folder(command: Command, tmp_path: Path) -> None:
    from unet_exp.files import locked

    words = [*FEW, "seed=0,1", "hydra.sweep.dir=sweep"]
    holder = (
        "import sys, time; from pathlib import Path; from unet_exp.files import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(600)\n"
    )
    lock = tmp_path / "sweep" / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(lock)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert message(command("train", "-m", *words)).startswith("sweep is in use")
        process.kill()
    with locked(lock):
        pass


def test_a_sweep_removes_the_settings_that_killed_jobs_left(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    killed = multiprocessing.get_context("spawn").Process(target=killed_with_a_temporary_folder)
    killed.start()
    killed.join()
    (left,) = place.iterdir()
    monkeypatch.setattr(SweepRunner, "launch", lambda *_: None)  # no job trains
    command("train", "-m", *TINY, "seed=0", f"hydra.sweep.dir={tmp_path}/sweep")
    assert not left.exists()
