"""Three searches that share a study in a real PostgreSQL, which is killed in their midst."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import optuna
import pytest

from tests.fixtures.daemons import wait_until
from tests.fixtures.postgresql import PostgreSQL
from tests.sweeps.launching import PATIENCE, ROOT
from tests.sweeps.searching import TRIALS

SEARCHES = ("one", "two", "three")


@pytest.mark.real
def test_no_trial_is_lost_or_run_twice_when_the_server_dies(
    tmp_path: Path, postgresql: PostgreSQL
) -> None:
    with ExitStack() as programs:
        searches = [
            programs.enter_context(search(tmp_path, name, postgresql.address)) for name in SEARCHES
        ]
        for jobs in (1, 4, 8):
            wait_until(partial(have_finished, tmp_path, jobs), PATIENCE, f"{jobs} jobs of each")
            assert [one.poll() for one in searches].count(1) == 0, said(tmp_path)
            postgresql.kill()
            time.sleep(1)
            postgresql.start()
        codes = [one.wait(PATIENCE) for one in searches]
    assert codes == [0, 0, 0], said(tmp_path)
    assert "The database of the study does not answer" in said(tmp_path)

    storage = optuna.storages.RDBStorage(postgresql.address)
    trials = optuna.load_study(study_name="shared", storage=storage).trials
    storage.engine.dispose()
    scores = {
        (str(tmp_path / name), file.name): float(file.read_text())
        for name in SEARCHES
        for file in (tmp_path / name).iterdir()
    }
    counted = [trial for trial in trials if "sweep" in trial.user_attrs]
    assert {trial.state.name for trial in counted} == {"COMPLETE"}
    assert len(counted) == len(scores) == TRIALS * len(SEARCHES)
    assert {(t.user_attrs["sweep"], t.user_attrs["job"]): t.value for t in counted} == scores
    assert len(set(scores.values())) == len(scores), "two searches tried the same value"
    # A server that dies between a new trial and its answer may leave an empty trial.
    assert len(trials) - len(counted) <= 3


def search(folder: Path, name: str, address: str) -> subprocess.Popen[bytes]:
    """Start a search."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with (folder / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.sweeps.searching", str(folder / name)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, "STUDY": address},
            stderr=log,
        )


def have_finished(folder: Path, jobs: int) -> bool:
    """Tell whether this number of jobs has finished in each search, or an error has ended one."""
    counts = [len(list((folder / name).glob("*"))) for name in SEARCHES]
    return min(counts) >= jobs or "Traceback" in said(folder)


def said(folder: Path) -> str:
    """Return what the searches have printed."""
    return "".join(path.read_text() for path in folder.glob("*.log"))
