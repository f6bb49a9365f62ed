"""Read the state of a sweep from its folder, also while its jobs run or after a crash."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from unet_exp.files import inside
from unet_exp.numbers import parse_number
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder

Kind = TypeVar("Kind", list[Any], dict[Any, Any])
#: Seconds without a written file after which a job counts as killed.
SILENCE = 15 * 60
#: All states in the order of their display.
STATES = (
    "running", "failed", "killed", "interrupted", "preempted", "finished", "pruned", "waiting",
)  # fmt: skip
#: States that need no more work.
DONE = ("finished", "pruned")


@dataclass(frozen=True)
class Run:
    """The recorded training of a job; values that its files lack are None or empty."""

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
    waits_for: str = ""
    """Why a scheduler lets the job wait, in its own words."""
    pictures: tuple[Path, ...] = ()
    wandb: dict[str, str] = field(default_factory=dict)

    @property
    def progress(self) -> float:
        """The fraction of the steps that are done."""
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
        """The last two parts of the folder's path: the sweep's name and time."""
        return "/".join(self.folder.absolute().parts[-2:])

    @property
    def counts(self) -> dict[str, int]:
        """The number of jobs in each state."""
        return counted(self.jobs)

    @cached_property
    def ranked(self) -> list[Run]:
        """The finished jobs with a score, the best one first."""
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
    """Read a sweep's folder. Missing or half-written files of jobs count as empty.

    Raises FileNotFoundError if the folder holds no ``sweep.json``, and ValueError if that is no
    JSON object or names a job's folder elsewhere.
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
            f"{folder.record} cannot be read as JSON. The folders of its jobs are intact. Repeat "
            "the sweep's command to write it again."
        )
    state = text(content, "state") or "running"
    ended_at = modified(folder.record) if state != "running" else None
    queue = folder.read_queue() if state == "running" else {}
    runs = (
        read_run(folder.run(job.get("folder")), given(job, "overrides", list), ended_at)
        for job in given(content, "jobs", list)
        if isinstance(job, dict)
    )
    jobs = tuple(queued(run, queue) for run in runs)
    named = map(str, given(content, "parameters", list))
    return Sweep(
        folder=path,
        jobs=jobs,
        command=text(content, "command"),
        words=tuple(map(str, given(content, "words", list))),
        parameters=tuple(dict.fromkeys([*named, *(key for job in jobs for key in job.values)])),
        monitor=text(content, "monitor") or "score",
        mode="min" if content.get("mode") == "min" else "max",
        sweeper=text(content, "sweeper"),
        started=text(content, "started"),
        state=state,
        log=tuple(map(str, given(content, "log", list))),
    )


def read_run(folder: RunFolder, overrides: Iterable[object], ended_at: float | None) -> Run:
    """Read the folder of a job.

    ``ended_at`` is the time at which the sweep ended, in seconds since 1970; None while it runs.
    """
    summary, progress = folder.read_summary(), folder.read_progress()
    state = text(summary, "state") or ("running" if folder.summary.exists() else "waiting")
    if state == "running" and is_silent(folder.path, ended_at):
        state = "killed"
    running = state == "running"
    step = number(summary.get("steps"))
    if running or not step:
        step = number(progress.get("step")) or step or 0

    def newest(key: str) -> float | None:
        found = (progress, summary) if running else (summary, progress)
        numbers = (number(content.get(key)) for content in found)
        return next((value for value in numbers if value is not None), None)

    pictures = (inside(folder.path, str(name)) for name in given(summary, "pictures", list))
    scores = {str(k): number(value) for k, value in given(summary, "scores", dict).items()}
    return Run(
        name=folder.path.name,
        folder=folder.path,
        overrides=tuple(map(str, overrides)),
        state=state,
        step=int(step),
        steps=int(number(progress.get("steps")) or 0),
        score=newest("score"),
        scores={k: score for k, score in scores.items() if "/" in k and score is not None},
        seconds=newest("seconds"),
        left=number(progress.get("left")) if running else None,
        error=(text(summary, "error").strip().splitlines() or [""])[0],
        pictures=tuple(path for path in pictures if path),
        wandb={str(k): str(v) for k, v in given(summary, "wandb", dict).items() if v is not None},
    )


def queued(run: Run, reasons: Mapping[str, str]) -> Run:
    """Return a run as waiting if its scheduler lets it wait; its folder says how it ended before.

    >>> queued(Run("0", Path("0"), state="preempted"), {"0": "BeginTime"}).state
    'waiting'
    """
    if run.name not in reasons or run.state in DONE:
        return run
    return replace(run, state="waiting", waits_for=reasons[run.name], left=None)


def is_silent(folder: Path, ended_at: float | None) -> bool:
    """Return whether nothing was written to a folder since its sweep ended, or for a long time."""
    try:
        last = max(map(modified, (folder, *folder.iterdir())))
    except OSError:
        return False
    return (ended_at is not None and last <= ended_at) or time.time() - last > SILENCE


def modified(path: Path) -> float:
    """Return the time of the last change in seconds since 1970; 0 if there is no such file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def text(content: dict[str, Any], key: str) -> str:
    """Return a value as text; empty for none."""
    value = content.get(key)
    return "" if value is None else str(value)


def number(value: object) -> float | None:
    """Return a finite number; None for anything else, such as a text of digits or a bool."""
    return None if isinstance(value, str | bool) else parse_number(value)


def given(content: dict[str, Any], key: str, kind: type[Kind]) -> Kind:
    """Return a value of this type; an empty one if the value is of another type."""
    value = content.get(key)
    return value if isinstance(value, kind) else kind()


def split(override: str) -> tuple[str, str]:
    """Return key and value of an override without plus signs and quotes.

    >>> split("++model.depth=3"), split('name="a=b"')
    (('model.depth', '3'), ('name', 'a=b'))
    """
    key, _, value = override.partition("=")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1].replace(f"\\{value[0]}", value[0])
    return key.lstrip("+"), value
