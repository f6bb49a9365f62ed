import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import torch
from tests.running import TINY, Command

from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.warm_start import UNKNOWN, WarmProcess, WarmStarter, warm_starts
from unet_exp.sweeps import runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="trainings start warm on Linux")


#: pytest changes the environment for each test.
COMPARED = ("OMP_NUM_THREADS",)


@pytest.fixture(scope="module")
def starter() -> Iterator[WarmStarter]:
    starter = WarmStarter(COMPARED)
    yield starter
    starter.close()


def start(starter: WarmStarter, path: Path, *arguments: str) -> WarmProcess | None:
    with path.open("w") as log:
        return starter.start(arguments, os.environ, log.fileno(), log.fileno())


def words(settings: str) -> tuple[str, ...]:
    """The arguments of a training with these settings."""
    return ("run", settings, "--command", "c", "--parent", str(os.getpid()))


def test_the_process_has_the_folder_the_output_and_the_exit_code_of_a_new_one(
    starter: WarmStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "log"
    process = start(
        starter, path, "run", "job.yaml", "--command", "c", "--parent", str(os.getpid())
    )
    assert process is not None
    with process:
        assert os.getsid(process.pid) == process.pid
        assert psutil.Process(process.pid).ppid() == starter.process.pid
        assert process.wait() == 1
    (told,) = [line for line in path.read_text().splitlines() if line.startswith("FileNotFound")]
    assert f"{tmp_path}/run/train.log" in told
    assert not psutil.pid_exists(process.pid)


def test_wrong_arguments_end_only_their_own_process(starter: WarmStarter, tmp_path: Path) -> None:
    for _ in range(2):
        process = start(starter, tmp_path / "log", "--unknown")
        assert process is not None
        with process:
            assert process.wait() == 2


def test_a_signal_is_told_like_by_popen(starter: WarmStarter, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.yaml")  # reading it waits for ever
    process = start(starter, tmp_path / "log", *words(f"{tmp_path}/job.yaml"))
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_another_environment_needs_another_start(
    starter: WarmStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert start(starter, tmp_path / "log", "--unknown") is None


def test_a_training_outlives_its_starter(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "job.yaml")
    starter = WarmStarter(COMPARED)
    process = start(starter, tmp_path / "log", *words(f"{tmp_path}/job.yaml"))
    assert process is not None
    starter.close()
    assert psutil.Process(process.pid).is_running()
    assert start(starter, tmp_path / "log", "--unknown") is None
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == UNKNOWN


def test_a_starter_that_has_died_is_replaced_by_new_programs(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, "-c", PROGRAM, str(log.fileno())]
        found = subprocess.run(command, pass_fds=[log.fileno()], capture_output=True, text=True)
    assert found.stdout.split() == ["WarmProcess", "2", "Popen", "2"], found.stderr


PROGRAM = """
import os, sys
from unet_exp.runs import warm_start
log = int(sys.argv[1])
with warm_start.warm_starts():
    for _ in range(2):
        with warm_start.started(["--unknown"], os.environ, log, log) as process:
            print(type(process).__name__, process.wait())
        warm_start._starter.process.kill()
        warm_start._starter.process.wait()
"""


def test_the_starter_ends_with_the_process_that_made_it(tmp_path: Path) -> None:
    program = (
        "from unet_exp.runs.warm_start import WarmStarter; import time;"
        "print(WarmStarter().process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        starter = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    starter.wait(60)


def test_one_starter_serves_the_starts_within(monkeypatch: pytest.MonkeyPatch) -> None:
    with warm_starts():
        first = subprocess.Popen
        monkeypatch.setattr(subprocess, "Popen", None)
        with warm_starts():
            pass
        monkeypatch.setattr(subprocess, "Popen", first)


@pytest.mark.parametrize("warm", [True, False])
def test_a_sweep_starts_its_jobs_as_it_is_told(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: bool
) -> None:
    used: list[bool] = []

    @contextmanager
    def spy() -> Iterator[None]:
        used.append(True)
        yield

    monkeypatch.setattr(runner, "warm_starts", spy)
    given = (f"sweep.warm_start={str(warm).lower()}", f"hydra.sweep.dir={tmp_path}/sweep")
    ended = command("train", "-m", *TINY, "trainer.max_steps=2", "seed=0", *given)
    assert ended.code == 0, ended.err
    assert bool(used) is warm


def test_a_job_that_started_warm_is_a_training_like_any_other(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "unet_exp.commands.train", *TINY, "model.dropout=0.5"]
    # Each program that Python starts writes its command.
    started = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys; open({str(started)!r}, 'a').write(' '.join(sys.orig_argv) + '\\n')"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": path}
    alone, sweep = tmp_path / "alone", tmp_path / "sweep"
    for own in (
        ("seed=1", f"hydra.run.dir={alone}"),
        ("-m", "seed=0,1", f"hydra.sweep.dir={sweep}"),
    ):
        done = subprocess.run(
            [*program, *own], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    commands = started.read_text()
    assert commands.count("unet_exp.runs.warm_start") == 1
    assert "unet_exp.runs.job" not in commands
    one, other = (RunFolder(path) for path in (alone, sweep / "1"))
    scores = [run.read_summary()["scores"] for run in (one, other)]
    for found in scores:
        del found["seconds"], found["data_wait"]
    assert scores[0] == scores[1]
    weights = [torch.load(run.last)["state_dict"] for run in (one, other)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
