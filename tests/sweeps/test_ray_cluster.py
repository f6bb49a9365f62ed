"""A sweep on a real Ray cluster, one of whose two machines dies."""

from functools import partial
from pathlib import Path

import pytest

from tests.fixtures.daemons import wait_until
from tests.fixtures.ray_cluster import AUTHORITY, OTHER, RayCluster
from tests.running import TINY
from tests.sweeps.launching import PATIENCE, launched, states, training
from unet_exp.records.run_folder import RunFolder

JOBS = 4
STEPS = 1000


@pytest.mark.real
def test_the_jobs_of_a_dead_machine_are_named_and_resumed(
    tmp_path: Path, ray_cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"hydra.launcher.init.address={ray_cluster.address}"
    _, err = launched(tmp_path, "meet", "0", "hydra/launcher=ray", address)
    assert f"{address} wants a token" in err

    for name, value in AUTHORITY.items():
        monkeypatch.setenv(name, value)
    sweep = tmp_path / "sweep"
    seeds = ",".join(map(str, range(JOBS)))
    words = [
        *TINY, f"seed={seeds}", f"trainer.max_steps={STEPS}", "loader.steps_per_validation=40",
        "hydra/launcher=ray", "hydra.launcher.gpus_per_job=1", address, "hydra.sweep.dir=sweep",
    ]  # fmt: skip
    with training(tmp_path, "log", *words) as program:
        wait_until(partial(all_have_checkpoints, sweep), 2 * PATIENCE, "all jobs have checkpoints")
        ray_cluster.kill_other()
        assert program.wait(2 * PATIENCE) == 1
    found = states(sweep)
    lost = [job for job, state in found.items() if state != "finished"]
    assert len(lost) == JOBS / 2
    told = (tmp_path / "log").read_text()
    for job in lost:
        assert found[job].endswith(f"dead or unavailable. Node IP: {OTHER}")
        assert f"job {job}: The job's process is gone" in told
    assert f"{len(lost)} of {JOBS} jobs did not finish" in told

    before = {job: RunFolder(sweep / job).read_metrics() for job in found}
    with training(tmp_path, "log", "sweep.resume=sweep", address) as program:
        assert program.wait(2 * PATIENCE) == 0
    assert set(states(sweep).values()) == {"finished"}
    for job, rows in before.items():
        after = RunFolder(sweep / job).read_metrics()
        assert after[: len(rows)] == rows  # they went on, and those that were done did not
        assert (len(after) > len(rows)) == (job in lost)
        assert [row["step"] for row in after] == list(range(40, STEPS + 1, 40))


def all_have_checkpoints(sweep: Path) -> bool:
    """Tell whether each job has something to resume from."""
    return all((sweep / str(n) / "checkpoints" / "last.ckpt").exists() for n in range(JOBS))
