"""Sweeps through a real SLURM on the loopback, and what is said where there is none."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.daemons import wait_until
from tests.fixtures.slurm_cluster import SlurmCluster
from tests.sweeps.launching import PATIENCE, launched, started, until
from unet_exp.sweeps.slurm_backend import SlurmBackend

SLURM = ("hydra/launcher=slurm", "hydra.launcher.cpus_per_job=1")


def go_on(slurm: SlurmCluster, job: str) -> None:
    """Let a job that was queued again start now; SLURM lets it rest for two minutes."""
    wait_until(lambda: slurm.jobs().get(job) == "PENDING", PATIENCE, f"{job} waits again")
    slurm.ask("scontrol", "update", f"JobId={job}", "StartTime=now")


def waiting(folder: Path) -> dict[str, str]:
    """Return why jobs wait, as the sweep records it."""
    try:
        return json.loads((folder / "sweep" / "queue.json").read_text())["waiting"]
    except FileNotFoundError:
        return {}


@pytest.mark.parametrize(
    ("words", "trainer", "gpus"),
    [
        (("scontrol", "requeue"), "cpu", "N/A"),
        pytest.param(("scancel", "--signal=USR1"), "gpu", "gres:gpu:1", marks=pytest.mark.real),
        pytest.param(("scancel", "--signal=TERM"), "auto", "gres:gpu:1", marks=pytest.mark.real),
    ],
    ids=["requeue", "USR1", "TERM"],
)
def test_a_preempted_job_waits_with_a_reason_and_goes_on_in_its_folder(
    tmp_path: Path, slurm: SlurmCluster, words: tuple[str, ...], *, trainer: str, gpus: str
) -> None:
    with started(tmp_path, "save", "7", *SLURM, f"trainer={trainer}") as process:
        until([tmp_path / "sweep" / "0" / "begun"])
        (job,) = slurm.jobs()
        assert slurm.ask("squeue", "--noheader", "--format=%b") == gpus
        slurm.ask(*words, job)
        wait_until(lambda: waiting(tmp_path) == {"0": "BeginTime"}, PATIENCE, "the reason is told")
        go_on(slurm, job)
        out, err = process.communicate(timeout=2 * PATIENCE)
    assert '["COMPLETED", "1.0"]' in out, err
    assert (tmp_path / "sweep" / "0" / "went_on").exists()
    assert not (tmp_path / "sweep" / "queue.json").exists()


@pytest.mark.real
def test_a_failed_job_leaves_the_others(tmp_path: Path, slurm: SlurmCluster) -> None:
    results, err = launched(tmp_path, "die", "1,13,2", *SLURM, "trainer=cpu")
    assert [state for state, _ in results] == ["COMPLETED", "FAILED", "COMPLETED"], err
    assert results[1][1].startswith("The job's process is gone; see ")


@pytest.mark.real
def test_an_interrupted_sweep_lets_its_jobs_save(tmp_path: Path, slurm: SlurmCluster) -> None:
    one = "hydra.launcher.array_parallelism=1"
    with started(tmp_path, "save", "1,2", *SLURM, one) as process:
        until([tmp_path / "sweep" / "0" / "begun"])
        wait_until(lambda: waiting(tmp_path) == {"1": "JobArrayTaskLimit"}, PATIENCE, "job 1 waits")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert (tmp_path / "sweep" / "0" / "saved").read_text() == "SIGTERM"
    assert not slurm.jobs()
    assert not (tmp_path / "sweep" / "0" / "went_on").exists()
    assert not (tmp_path / "sweep" / "1" / "begun").exists()


@pytest.mark.real
def test_what_slurm_refuses_is_said(tmp_path: Path, slurm: SlurmCluster) -> None:
    results, err = launched(tmp_path, "save", "1,2", *SLURM, "hydra.launcher.partition=nowhere")
    assert not results
    assert "SLURM refuses the jobs: " in err
    assert "partition" in err


def test_without_slurm_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    _, err = launched(tmp_path, "save", "1", *SLURM)
    assert "there is no srun here" in err


def test_the_reason_of_sbatch_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """submitit wraps it in several lines; which one holds it may change."""
    for name in ("srun", "sbatch"):
        program = tmp_path / name
        program.write_text(
            "#!/bin/sh\necho 'sbatch: error: invalid partition: nowhere' >&2\nexit 1\n"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    runner: Any = None  # nothing runs
    backend = SlurmBackend(folder=str(tmp_path / "submitit"), partition="nowhere", gpus_per_job=0)
    with pytest.raises(RuntimeError, match=r"SLURM refuses the jobs: invalid partition: nowhere\."):
        backend.launch(runner, [["seed=1"], ["seed=2"]], 0)
