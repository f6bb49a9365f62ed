"""Sweeps through Ray, on GPUs that are only declared."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.running import Command
from tests.sweeps.launching import launched, started, trained, until
from unet_exp.sweeps.ray_backend import RayBackend, connect

RAY = ("hydra/launcher=ray", "hydra.launcher.init.num_cpus=4")
TWO_GPUS = (*RAY, "hydra.launcher.init.num_gpus=2")


def seen_gpus(sweep: Path) -> list[str]:
    return [path.read_text() for path in sorted(sweep.glob("*/gpus"))]


def test_jobs_run_at_a_time_each_with_a_gpu_and_a_failure_leaves_the_others(tmp_path: Path) -> None:
    # Job 0 and 1 wait for each other; 2 and 3 for room.
    results, err = launched(tmp_path, "meet", "0,1,13,4", *TWO_GPUS)
    assert [state for state, _ in results] == ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED"], err
    assert [value for _, value in results] == ["0.0", "0.5", "thirteen", "2.0"]
    gpus = seen_gpus(tmp_path / "sweep")
    assert len(gpus) == 4
    assert sorted(gpus[:2]) == ["0", "1"]


def test_half_a_gpu_each_puts_two_jobs_on_one(tmp_path: Path) -> None:
    one = (*RAY, "hydra.launcher.init.num_gpus=1", "hydra.launcher.gpus_per_job=0.5")
    results, err = launched(tmp_path, "meet", "0,1", *one)
    assert results == [("COMPLETED", "0.0"), ("COMPLETED", "0.5")], err
    assert seen_gpus(tmp_path / "sweep") == ["0", "0"]


def test_several_gpus_go_to_one_job(tmp_path: Path) -> None:
    results, err = launched(tmp_path, "meet", "5", *TWO_GPUS, "hydra.launcher.gpus_per_job=2")
    assert results == [("COMPLETED", "2.5")], err
    assert seen_gpus(tmp_path / "sweep") in (["0,1"], ["1,0"])


def test_a_job_that_dies_without_an_error_leaves_the_others(tmp_path: Path) -> None:
    results, err = launched(tmp_path, "die", "13,1,2", *TWO_GPUS)
    assert [state for state, _ in results] == ["FAILED", "COMPLETED", "COMPLETED"], err
    assert results[0][1].startswith("The job's process is gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_an_interrupted_sweep_lets_its_jobs_save(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path, "save", "0,1,2", *TWO_GPUS) as process:
        until([tmp_path / "sweep" / job / "begun" for job in "01"])
        process.send_signal(number)
        process.communicate(timeout=120)
    assert process.returncode == (130 if number == signal.SIGINT else 75)
    for job in "01":
        assert (tmp_path / "sweep" / job / "saved").read_text() == "SIGTERM"
    # It waited for room; that which the others left is not for it.
    assert not (tmp_path / "sweep" / "2" / "begun").exists()


def test_more_gpus_than_there_are_are_refused_before_the_first_job(tmp_path: Path) -> None:
    results, err = launched(tmp_path, "meet", "0,1", *TWO_GPUS, "hydra.launcher.gpus_per_job=3")
    assert not results
    assert "gpus_per_job=3, but no machine of Ray's has more than 2 GPUs" in err
    assert not (tmp_path / "sweep").exists()


def test_a_missing_cluster_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))  # a cluster of somebody's may run here
    results, err = launched(
        tmp_path, "meet", "0", "hydra/launcher=ray", "hydra.launcher.init.address=auto"
    )
    assert not results
    assert "No Ray cluster answers at hydra.launcher.init.address=auto" in err


def test_a_cluster_that_wants_a_token_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        cause = RuntimeError("Failed to connect to GCS. ray.exceptions.AuthenticationError: RPC")
        raise ConnectionError("Failed to connect to Ray cluster at 127.0.0.1:6379") from cause

    monkeypatch.setattr("ray.init", refused)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:6379 wants a token\. Set RAY_AUTH"):
        connect({"address": "127.0.0.1:6379"})


def test_without_ray_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    with pytest.raises(ModuleNotFoundError, match=r'pip install -e "\.\[ray\]"'):
        connect({})


@pytest.mark.parametrize("words", [{"gpus_per_job": 1.5}, {"gpus_per_job": -1.0}])
def test_an_impossible_share_is_refused(words: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="a whole number, or a fraction below 1"):
        RayBackend(**words)


def test_a_job_fits_on_one_machine_and_gets_its_share_of_cpus() -> None:
    small, large = {"CPU": 8.0, "GPU": 2.0}, {"CPU": 64.0, "GPU": 8.0}
    assert RayBackend(gpus_per_job=4).share([small, large]) == (4, 32)
    assert RayBackend(gpus_per_job=1).share([small, large]) == (1, 4)
    with pytest.raises(ValueError, match="no machine of Ray's with 4 GPUs has more than 64 CPUs"):
        RayBackend(gpus_per_job=4, cpus_per_job=100).share([small, large])


@pytest.mark.parametrize(
    ("word", "named"),
    [("gpus_per_job=many", "gpus_per_job=many"), ("gpu_per_job=1", "hydra.launcher.gpu_per_job")],
)
def test_a_wrong_word_is_refused(command: Command, word: str, named: str) -> None:
    done = command("train", "-m", "seed=1,2", "hydra/launcher=ray", f"hydra.launcher.{word}")
    assert done.code == 1
    assert named in done.err


def test_trainings_run_through_it(tmp_path: Path) -> None:
    states = trained(tmp_path, "hydra/launcher=ray", "hydra.launcher.init.num_gpus=2")
    assert states == {"0": "finished", "1": "finished"}
