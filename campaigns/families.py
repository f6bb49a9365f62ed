"""Commands of several processes, one or all of which are killed, and what they may leave."""

import csv
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil

from campaigns import works
from campaigns.commands import TINY
from campaigns.events import Seen
from campaigns.trials import FaultError
from campaigns.works import Results, Work, of_runs

#: What is killed: the command, one of the processes that it has started, or all of them.
VICTIMS = ("command", "child", "all")
#: Seconds for which the others may go on: a job saves its training when its sweep is gone.
GRACE = 60.0
#: What other programs leave in the folder for temporary files if they are killed.
OTHERS = ("ray", "torchelastic_", "pymp-", "torchinductor_")


def all_families(place: Path) -> dict[str, Work]:
    """A training in two processes, and sweeps whose jobs are processes, by name."""

    def training(folder: Path) -> list[str]:
        return [*TINY, "trainer.devices=2", "resume=true", f"hydra.run.dir={folder / 'run'}"]

    def sweeping(*words: str, given_again: str = "") -> Callable[[Path], list[str]]:
        def overrides(folder: Path) -> list[str]:
            swept = folder / "sweep"
            if (swept / "sweep.json").exists():
                return ["-m", f"sweep.resume={swept}", *given_again.split()]
            return ["-m", *TINY, *words, f"hydra.sweep.dir={swept}"]

        return overrides

    lr = "optimizer.lr=tag(log,interval(1e-4,1e-2))"  # so that no two trials are the same
    search = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", lr)
    ray, cores = ("seed=0,1", "hydra/launcher=ray"), "hydra.launcher.init.num_cpus=2"
    return {
        "train_two": Work("train", training, of_runs("run")),
        "search": Work("train", sweeping(*search), of_sweep(3)),
        "sweep_slurm_local": Work(
            "train", sweeping("seed=0,1", "hydra/launcher=slurm_local"), of_sweep(2)
        ),
        "sweep_ray": Work(
            # A resumed sweep does not repeat what is started outside of the project.
            "train",
            sweeping(*ray, cores, given_again=cores),
            of_sweep(2),
        ),
    }


def of_sweep(jobs: int) -> Callable[[Path], Results]:
    """The weights and scores of each job, and the table without what varies."""
    of_jobs = of_runs(*(f"sweep/{job}" for job in range(jobs)))

    def results(folder: Path) -> Results:
        found = of_jobs(folder)
        table = folder / "sweep" / "sweep.csv"
        if table.is_file():
            rows = list(csv.DictReader(table.read_text().splitlines()))
            found["sweep.csv"] = str(
                [{key: text for key, text in row.items() if not varies(key)} for row in rows]
            )
        return found

    return results


def varies(column: str) -> bool:
    return "seconds" in column or "memory" in column or column in ("data_wait", "folder")


def killing(work: Work, place: Path) -> Callable[[Random, Path], None]:
    """The trial that a command, some of whose processes are killed, is finished by the same one."""

    def trial(rng: Random, folder: Path) -> None:
        expected, here = works.undisturbed(work, place, GRACE), folder / "here"
        here.mkdir()
        number, victim = rng.randint(1, expected.seen), rng.choice(VICTIMS)
        what = f"{victim} killed after change {number} of {expected.seen} and repeated"

        def act(pid: int) -> None:
            kill(pid, victim, rng)

        work.start(here, watch=Seen(here, number, act), grace=GRACE)
        require_quiet(here, what)
        again = work.start(here, grace=GRACE)
        again.require_clear(what)
        found = work.results(here)
        if again.code and found != expected.results:
            raise FaultError(f"{what}: ends with exit code {again.code}: {again.last}")
        try:
            works.require_same(found, expected.results)
            works.require_nothing_left(here)
        except FaultError as error:
            raise FaultError(f"{what}: {error}") from error
        require_quiet(here, what)
        left = [p.name for p in (folder / "tmp").iterdir() if not p.name.startswith(OTHERS)]
        if left:
            raise FaultError(f"{what}: leaves {', '.join(left)} in the folder for temporary files")

    return trial


def kill(pid: int, victim: str, rng: Random) -> None:
    """Kill a command, or a process that it has started, or all at once."""
    command = psutil.Process(pid)
    children = command.children(recursive=True)
    chosen = {"command": [command], "child": [rng.choice(children or [command])]}
    for process in chosen.get(victim, [command, *children]):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def require_quiet(here: Path, what: str) -> None:
    """Wait for all processes of a command to end; they have its cache in their environment."""
    mark, end = str(here / "cache"), time.monotonic() + GRACE
    while left := [process for process in psutil.process_iter() if is_marked(process, mark)]:
        if time.monotonic() > end:
            said = ", ".join(" ".join(process.cmdline())[:80] for process in left)
            for process in left:
                process.kill()
            raise FaultError(f"{what}: still run after {GRACE:.0f} s: {said}")
        time.sleep(0.2)


def is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        return (
            process.pid != os.getpid()
            and process.status() != psutil.STATUS_ZOMBIE
            and process.environ().get("UNET_EXP_CACHE") == mark
        )
    except psutil.Error:
        return False
