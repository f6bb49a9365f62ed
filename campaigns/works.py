"""Commands that are disturbed and repeated, and what must come of them in the end."""

import csv
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from campaigns import commands
from campaigns.commands import TINY
from campaigns.events import Changes, Seen
from campaigns.mutate.images import SOUND
from campaigns.trials import FaultError
from campaigns.watched import print_into

#: Seconds that a command may take, and that its processes may outlive it.
PATIENCE, GRACE = 300.0, 5.0
Results = dict[str, str]


@dataclass(frozen=True)
class Work:
    """A command that writes into a folder.

    Attributes
    ----------
    words
        Its overrides, given the folder; the same when it is repeated, except that a sweep that
        has begun is resumed.
    results
        What the folder holds in the end, each thing by its name. Times do not count.
    """

    command: str
    words: Callable[[Path], list[str]]
    results: Callable[[Path], Results]

    def start(
        self,
        folder: Path,
        before: Callable[[], None] = lambda: None,
        watch: Callable[[int], None] = lambda pid: None,
        grace: float | None = None,
    ) -> "Ended":
        """Run the command in a new process, after ``before``, and wait for its end.

        ``watch`` is called again and again with the number of the process while it runs. Its own
        processes may outlive it by ``grace`` seconds.
        """

        def task() -> int:
            os.environ["UNET_EXP_CACHE"] = str(folder / "cache")
            before()
            return commands.run(self.command, self.words(folder))

        return forked(task, folder.parent / f"{folder.name}.txt", watch=watch, grace=grace)


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, negative for a signal, and what it printed."""

    code: int
    screen: str

    def require_clear(self, what: str) -> None:
        """Refuse a stack trace, and a failure without a clear error."""
        if "Traceback (most recent call last)" in self.screen:
            raise FaultError(f"{what}: a stack trace that ends with {self.last}")
        if "not foreseen" in self.screen or "raises " in self.last:
            raise FaultError(f"{what}: {self.last}")
        if self.code == 1 and "Error: " not in self.screen:
            raise FaultError(f"{what}: fails without an error: {self.last}")

    @property
    def last(self) -> str:
        return (self.screen.strip().splitlines() or ["(nothing printed)"])[-1]


def forked(
    task: Callable[[], int],
    log: Path,
    patience: float = PATIENCE,
    watch: Callable[[int], None] = lambda pid: None,
    grace: float | None = None,
) -> Ended:
    """Run a task in a new process; its exit code is the task's.

    Raises FaultError if it does not end, or leaves processes.
    """
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            os.setsid()
            torch.set_num_threads(1)  # those of the parent are not here
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            print_into(log)
            code = task()
        except FaultError as error:
            print(f"raises {error}", file=sys.stderr)
        finally:
            if "ray" in sys.modules:  # a program does so at its exit, which is left out here
                sys.modules["ray"].shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    try:
        status = waited(pid, patience, watch)
        require_no_processes(pid, GRACE if grace is None else grace)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    screen = log.read_text(errors="replace") if log.exists() else ""
    return Ended(os.waitstatus_to_exitcode(status), screen)


def waited(pid: int, patience: float, watch: Callable[[int], None]) -> int:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        watch(pid)
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise FaultError(f"the command has not ended after {patience:.0f} s")


def require_no_processes(group: int, grace: float) -> None:
    """Refuse processes of a group that go on when its leader has ended."""
    end = time.monotonic() + grace
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise FaultError(f"processes of the command still run {grace:.0f} s after its end")


def require_nothing_left(folder: Path) -> None:
    """Refuse temporary files."""
    left = [p for p in folder.rglob(".*") if p.name.endswith((".part", ".old"))]
    if left:
        raise FaultError(f"leaves {', '.join(str(p.relative_to(folder)) for p in left)}")


def require_same(found: Results, expected: Results) -> None:
    """Refuse results that are missing or differ."""
    if missing := expected.keys() - found.keys():
        raise FaultError(f"{', '.join(sorted(missing))} missing after the command was repeated")
    if other := [name for name in expected if found[name] != expected[name]]:
        raise FaultError(f"{', '.join(other)} differ from those of an undisturbed command")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def of_runs(*runs: str) -> Callable[[Path], Results]:
    """The weights of both checkpoints of each run, and all scores of each validation."""

    def results(folder: Path) -> Results:
        found: Results = {}
        for run in runs:
            for name in ("last", "best"):
                path = folder / run / "checkpoints" / f"{name}.ckpt"
                if path.is_file():
                    weights = torch.load(path, weights_only=True)["state_dict"]
                    parts = (f"{k}{v.numpy().tobytes().hex()}" for k, v in weights.items())
                    found[f"{run}/{name}"] = hashlib.sha256("".join(parts).encode()).hexdigest()
            metrics = folder / run / "metrics.csv"
            if metrics.is_file():
                rows = list(csv.DictReader(metrics.read_text().splitlines()))
                found[f"{run}/metrics.csv"] = str([scores(row) for row in rows])
        return found

    return results


def scores(row: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in row.items() if k in ("step", "epoch") or k.startswith("val/")}


def of_folder(name: str, *without: str) -> Callable[[Path], Results]:
    """All files of a folder, each by its bytes."""

    def results(folder: Path) -> Results:
        files = (p for p in (folder / name).rglob("*") if p.is_file() and p.name not in without)
        return {str(p.relative_to(folder)): digest(p) for p in files}

    return results


def of_evaluation(folder: Path) -> Results:
    """The scores, and the table of images."""
    record, table = folder / "scored" / "evaluation.json", folder / "scored" / "per_image.csv"
    found = {}
    if record.is_file():
        found["scores"] = str(json.loads(record.read_text()).get("scores"))
    if table.is_file():
        found["per_image.csv"] = digest(table)
    return found


def all_works(place: Path) -> dict[str, Work]:
    """Train a network for the others, and return all works by name."""
    images = place / "images"
    images.mkdir()
    for number in range(2):
        (images / f"{number}.tif").write_bytes(SOUND["tiff"][number])
    best = place / "trained" / "checkpoints" / "best.ckpt"
    os.chdir(place)
    if commands.run("train", [*TINY, f"hydra.run.dir={place / 'trained'}"]):
        raise RuntimeError("The first training has failed.")

    def segmenting(kind: str) -> Callable[[Path], list[str]]:
        given = [f"checkpoint={best}", f"input={images}", "accelerator=cpu", f"format={kind}"]
        return lambda folder: [*given, f"output={folder / 'out'}"]

    def scoring(folder: Path) -> list[str]:
        return [f"run={place / 'trained'}", "accelerator=cpu", f"hydra.run.dir={folder / 'scored'}"]

    def exporting(folder: Path) -> list[str]:
        return [f"checkpoint={best}", "format=torchscript", f"output={folder / 'model.pt'}"]

    def training(folder: Path) -> list[str]:
        return [*TINY, "resume=true", f"hydra.run.dir={folder / 'run'}"]

    def sweeping(folder: Path) -> list[str]:
        swept = folder / "sweep"
        if (swept / "sweep.json").exists():
            return ["-m", f"sweep.resume={swept}"]
        return ["-m", *TINY, "seed=0,1", f"hydra.sweep.dir={swept}"]

    return {
        "train": Work("train", training, of_runs("run")),
        "predict": Work("predict", segmenting("tiff"), of_folder("out", "predict.json")),
        "predict_zarr": Work("predict", segmenting("zarr"), of_folder("out", "predict.json")),
        "evaluate": Work("evaluate", scoring, of_evaluation),
        "sweep": Work("train", sweeping, of_runs("sweep/0", "sweep/1")),
        "export": Work("export", exporting, lambda f: {p.name: "" for p in f.glob("model.pt")}),
    }


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed command gives: its results, its changes to files, and their bytes.

    ``seen`` are the changes by all of its processes that are seen from outside.
    """

    results: Results
    changes: int
    size: int
    seen: int


@cache
def undisturbed(work: Work, place: Path, grace: float = GRACE) -> Undisturbed:
    """Run a command to its end, and count its changes to files."""
    folder, counted = place / "undisturbed", place / "changes.txt"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    changes, seen = Changes(str(folder)), Seen(folder)

    def before() -> None:
        sys.addaudithook(changes)

    def task() -> int:
        code = 1
        try:
            os.environ["UNET_EXP_CACHE"] = str(folder / "cache")
            before()
            code = commands.run(work.command, work.words(folder))
        finally:
            counted.write_text(str(changes.count))
        return code

    ended = forked(task, place / "undisturbed.txt", watch=seen, grace=grace)
    if ended.code:
        raise RuntimeError(f"{work.command} fails undisturbed: {ended.screen[-2000:]}")
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    found = Undisturbed(work.results(folder), int(counted.read_text()), size, seen.count)
    shutil.rmtree(folder)
    return found
