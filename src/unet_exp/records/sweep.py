"""A sweep as its folder shows it at any moment: while its jobs run, and after a crash."""

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from unet_exp.files import inside
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder

#: Seconds without a written file after which a job counts as killed.
SILENCE = 15 * 60
#: All states, in the order in which they are counted and listed.
STATES = (
    "running", "failed", "killed", "interrupted", "preempted", "finished", "pruned", "waiting",
)  # fmt: skip
#: States that need no more work.
DONE = ("finished", "pruned")


@dataclass(frozen=True)
class Run:
    """The recorded training of a job; None or empty where its files do not say."""

    name: str
    folder: Path
    overrides: tuple[str, ...] = ()
    state: str = "waiting"
    step: int = 0
    steps: int = 0
    score: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    seconds: float | None = None
    left: float | None = None
    error: str = ""
    pictures: tuple[Path, ...] = ()
    wandb: dict[str, str] = field(default_factory=dict)

    @property
    def progress(self) -> float:
        """The fraction of its steps that is done."""
        if self.state == "finished":
            return 1.0
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    @cached_property
    def values(self) -> dict[str, str]:
        """The value of each overridden setting, as text.

        >>> Run("0", Path("0"), ("model.depth=3", "+name='a b'", "~logger")).values
        {'model.depth': '3', 'name': 'a b', '~logger': ''}
        """
        return dict(map(split, self.overrides))


@dataclass(frozen=True)
class Sweep:
    """The runs of one sweep, and the score that ranks them."""

    folder: Path
    jobs: tuple[Run, ...] = ()
    command: str = ""
    words: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    monitor: str = "score"
    mode: str = "max"
    sweeper: str = ""
    started: str = ""
    state: str = "running"
    log: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the sweep and its time: the last two parts of the folder's path."""
        return "/".join(self.folder.absolute().parts[-2:])

    @property
    def counts(self) -> dict[str, int]:
        """How many jobs are in each state that occurs."""
        return counted(self.jobs)

    @cached_property
    def ranked(self) -> list[Run]:
        """The finished jobs that have a score, the best first."""
        scored = [j for j in self.jobs if j.state == "finished" and j.score is not None]
        return sorted(scored, key=lambda job: job.score or 0.0, reverse=self.mode == "max")

    @property
    def unfinished(self) -> list[Run]:
        """The jobs that need more work."""
        return [job for job in self.jobs if job.state not in DONE]


def counted(jobs: Iterable[Run]) -> dict[str, int]:
    """Count jobs by state, in the order of ``STATES``, then others.

    >>> counted([Run("0", Path("0")), Run("1", Path("1"), state="running")])
    {'running': 1, 'waiting': 1}
    """
    found = Counter(job.state for job in jobs)
    return {state: found[state] for state in dict.fromkeys((*STATES, *found)) if found[state]}


def read_sweep(path: Path) -> Sweep:
    """Read a sweep's folder; files that are missing or half written count as empty.

    Raises
    ------
    FileNotFoundError
        If the folder holds no ``sweep.json``.
    ValueError
        If ``sweep.json`` is no JSON object, or names the folder of a job elsewhere.
    """
    folder = SweepFolder(path)
    if not folder.record.is_file():
        fact = f"There is no folder {path}"
        if path.is_dir():
            fact = f"{path} is no sweep: it holds no {folder.record.name}"
        raise FileNotFoundError(f"{fact}. Sweeps lie in outputs/sweeps/NAME/STAMP.")
    content = folder.read_content()
    if not content:
        raise ValueError(
            f"{folder.record} cannot be read as JSON. Each job's own folder is whole without it; "
            "start the sweep anew with its command to write it again."
        )
    state = text(content, "state") or "running"
    ended_at = modified(folder.record) if state != "running" else None
    jobs = tuple(
        read_run(folder.run(job.get("folder")), sequence(job, "overrides"), ended_at)
        for job in sequence(content, "jobs")
        if isinstance(job, dict)
    )
    named = [str(key) for key in sequence(content, "parameters")]
    return Sweep(
        folder=path,
        jobs=jobs,
        command=text(content, "command"),
        words=tuple(map(str, sequence(content, "words"))),
        parameters=tuple(dict.fromkeys([*named, *(key for job in jobs for key in job.values)])),
        monitor=text(content, "monitor") or "score",
        mode="min" if content.get("mode") == "min" else "max",
        sweeper=text(content, "sweeper"),
        started=text(content, "started"),
        state=state,
        log=tuple(map(str, sequence(content, "log"))),
    )


def read_run(folder: RunFolder, overrides: Iterable[object], ended_at: float | None) -> Run:
    """Read the folder of a job.

    Parameters
    ----------
    ended_at
        When the sweep ended, in seconds since 1970; None while it runs.
    """
    summary, progress = folder.read_summary(), folder.read_progress()
    state = text(summary, "state") or ("running" if folder.summary.exists() else "waiting")
    if state == "running" and is_silent(folder.path, ended_at):
        state = "killed"
    running = state == "running"
    step = finite(summary.get("steps"))
    if running or not step:
        step = finite(progress.get("step")) or step or 0
    newest = [progress, summary] if running else [summary, progress]
    pictures = (inside(folder.path, str(name)) for name in sequence(summary, "pictures"))
    scores = {str(key): finite(value) for key, value in mapping(summary, "scores").items()}
    return Run(
        name=folder.path.name,
        folder=folder.path,
        overrides=tuple(map(str, overrides)),
        state=state,
        step=int(step),
        steps=int(finite(progress.get("steps")) or 0),
        score=first_number(newest, "score"),
        scores={k: score for k, score in scores.items() if "/" in k and score is not None},
        seconds=first_number(newest, "seconds"),
        left=finite(progress.get("left")) if running else None,
        error=(text(summary, "error").strip().splitlines() or [""])[0],
        pictures=tuple(path for path in pictures if path),
        wandb={str(k): str(v) for k, v in mapping(summary, "wandb").items() if v is not None},
    )


def is_silent(folder: Path, ended_at: float | None) -> bool:
    """Whether nothing was written to a folder since its sweep ended, or for a long time."""
    try:
        last = max(map(modified, (folder, *folder.iterdir())))
    except OSError:
        return False
    return (ended_at is not None and last <= ended_at) or time.time() - last > SILENCE


def modified(path: Path) -> float:
    """Return when a file was written, in seconds since 1970; 0 if it does not exist."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def text(content: dict[str, Any], key: str) -> str:
    """Return a value as text; empty for none."""
    value = content.get(key)
    return "" if value is None else str(value)


def sequence(content: dict[str, Any], key: str) -> list[Any]:
    """Return a value that is a list; empty for anything else."""
    value = content.get(key)
    return value if isinstance(value, list) else []


def mapping(content: dict[str, Any], key: str) -> dict[Any, Any]:
    """Return a value that is a dictionary; empty for anything else."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def first_number(contents: Iterable[dict[str, Any]], key: str) -> float | None:
    """Return the first finite number under a key."""
    found = (finite(content.get(key)) for content in contents)
    return next((value for value in found if value is not None), None)


def finite(value: object) -> float | None:
    """Return a finite number, or None for anything else.

    >>> finite(3), finite("0.5"), finite(float("nan")), finite(True)
    (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an int beyond all floats
        return None


def split(override: str) -> tuple[str, str]:
    """Return key and value of an override, without plus signs and quotes around the value.

    >>> split("++model.depth=3"), split('name="a=b"')
    (('model.depth', '3'), ('name', 'a=b'))
    """
    key, _, value = override.partition("=")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1].replace(f"\\{value[0]}", value[0])
    return key.lstrip("+"), value
