"""Sweeps through submitit on this machine, and through SLURM if it is present."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.running import Command
from tests.sweeps.launching import PATIENCE, launched, started, trained, until
from unet_exp.sweeps.slurm_local_backend import SlurmLocalBackend
from unet_exp.sweeps.submitit_backend import import_submitit

LOCAL = ("hydra/launcher=slurm_local",)


def worker(folder: Path) -> psutil.Process:
    """Return submitit's process of the only job of a sweep that runs."""
    (found,) = (
        one
        for one in psutil.process_iter()
        if one.is_running()
        and one.status() != psutil.STATUS_ZOMBIE
        and "submitit.core._submit" in one.cmdline()
        and str(folder) in f"{one.cmdline()} {one.cwd()}"
        and not {"srun", "slurmstepd"} & set(one.cmdline())
    )
    return found


def test_a_failed_job_leaves_the_others(tmp_path: Path) -> None:
    results, err = launched(tmp_path, "die", "1,13,2", *LOCAL)
    assert [state for state, _ in results] == ["COMPLETED", "FAILED", "COMPLETED"], err
    assert (results[0][1], results[2][1]) == ("0.5", "1.0")
    assert results[1][1].startswith("The job's process is gone; see ")
    # What the jobs were started with may hold secrets.
    (kept,) = (tmp_path / "sweep" / "submitit").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o700
    assert list(kept.glob("*_log.err"))
    assert not list(kept.glob("*.pkl"))


def test_an_error_comes_back(tmp_path: Path) -> None:
    two = "hydra.launcher.array_parallelism=2"
    results, err = launched(tmp_path, "meet", "0,1,13", *LOCAL, two)
    assert results == [("COMPLETED", "0.0"), ("COMPLETED", "0.5"), ("FAILED", "thirteen")], err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_preempted_job_saves_and_continues_in_its_folder(
    tmp_path: Path, number: signal.Signals
) -> None:
    with started(tmp_path, "save", "7", *LOCAL) as process:
        until([tmp_path / "sweep" / "0" / "begun"])
        worker(tmp_path).send_signal(number)
        out, err = process.communicate(timeout=2 * PATIENCE)
    assert '["COMPLETED", "1.0"]' in out, err
    assert (tmp_path / "sweep" / "0" / "saved").read_text() == number.name
    assert (tmp_path / "sweep" / "0" / "went_on").exists()
    assert [p.name for p in (tmp_path / "sweep").iterdir() if p.name.isdigit()] == ["0"]


def test_a_job_out_of_time_saves_and_continues(tmp_path: Path) -> None:
    # One minute, of which it is told 50 seconds before its end.
    words = ("hydra.launcher.timeout_min=1", "hydra.launcher.signal_delay_s=50")
    results, err = launched(tmp_path, "save", "7", *LOCAL, *words)
    assert results == [("COMPLETED", "1.0")], err
    assert (tmp_path / "sweep" / "0" / "saved").read_text() == "SIGUSR2"


def test_an_interrupted_sweep_lets_its_jobs_save(tmp_path: Path) -> None:
    one = "hydra.launcher.array_parallelism=1"
    with started(tmp_path, "save", "1,2", *LOCAL, one) as process:
        until([tmp_path / "sweep" / "0" / "begun"])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert (tmp_path / "sweep" / "0" / "saved").read_text() == "SIGTERM"
    # Neither once more, nor the next one.
    time.sleep(2)
    assert not (tmp_path / "sweep" / "0" / "went_on").exists()
    assert not (tmp_path / "sweep" / "1" / "begun").exists()


def test_a_resumed_sweep_queues_jobs_again(tmp_path: Path) -> None:
    job = tmp_path / "sweep" / "0"
    with started(tmp_path, "save", "7", *LOCAL) as process:
        until([job / "begun"])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    (job / "begun").unlink()
    (job / "saved").unlink()
    with started(tmp_path, "save", "7", *LOCAL) as process:
        until([job / "begun"])
        worker(tmp_path).send_signal(signal.SIGUSR2)
        out, err = process.communicate(timeout=2 * PATIENCE)
    assert '["COMPLETED", "1.0"]' in out, err


def test_without_submitit_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install -e "\.\[slurm\]"'):
        import_submitit()


def test_no_job_at_a_time_is_refused() -> None:
    with pytest.raises(ValueError, match="array_parallelism=0 runs nothing"):
        SlurmLocalBackend(array_parallelism=0)


def test_a_wrong_word_is_refused(command: Command) -> None:
    words = ("seed=1,2", "hydra/launcher=slurm", "hydra.launcher.timeout_min=long")
    done = command("train", "-m", *words)
    assert done.code == 1
    assert "timeout_min=long" in done.err


def test_trainings_run_through_it(tmp_path: Path) -> None:
    assert trained(tmp_path, *LOCAL) == {"0": "finished", "1": "finished"}
    assert sorted(os.listdir(tmp_path)) == ["log", "sweep"]  # noqa: PTH208
