"""What a sweep's folder says of its jobs, at any moment: while they run, and after a crash."""

import math
import re
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from unet_exp.files import inside, read_json
from unet_exp.secrets.masking import masked

#: Seconds without a written file after which a job that says it runs was killed.
SILENCE = 15 * 60
#: All states, in the order in which they are counted and listed.
STATES = (
    "running", "failed", "killed", "interrupted", "preempted", "finished", "pruned", "waiting",
)  # fmt: skip
#: States that need no more work.
DONE = ("finished", "pruned")


@dataclass(frozen=True)
class Run:
    """A recorded training of a sweep; None or empty where its files do not say."""

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
        """The part of its steps that is done, 0 to 1."""
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
    """Jobs that one command started, and the score that ranks them."""

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
        """The last two parts of the folder's path: what the sweep is called, and its time."""
        return "/".join(self.folder.absolute().parts[-2:])

    @property
    def counts(self) -> dict[str, int]:
        """How many jobs there are in each state that occurs."""
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
    """Count jobs by state, in the order of ``STATES``; others come last.

    >>> counted([Run("0", Path("0")), Run("1", Path("1"), state="running")])
    {'running': 1, 'waiting': 1}
    """
    found = Counter(job.state for job in jobs)
    return {state: found[state] for state in dict.fromkeys((*STATES, *found)) if found[state]}


def read_sweep(folder: Path) -> Sweep:
    """Read a sweep's folder; what a job has not written yet, or only half, counts as missing.

    Raises
    ------
    FileNotFoundError
        If the folder holds no ``sweep.json``.
    ValueError
        If ``sweep.json`` is no JSON object, or names a job's folder elsewhere.
    """
    path = folder / "sweep.json"
    if not path.is_file():
        fact = f"{folder} is no sweep: it holds no sweep.json" if folder.is_dir() else (
            f"There is no folder {folder}"
        )  # fmt: skip
        raise FileNotFoundError(f"{fact}. Sweeps lie in outputs/sweeps/NAME/STAMP.")
    content = masked(read_json(path))
    if not content:
        raise ValueError(
            f"{path} cannot be read as JSON. Each job's own folder is whole without it; start the "
            "sweep anew with its command to write it again."
        )
    state, written = text(content, "state") or "running", modified(path)
    listed = [given for given in sequence(content, "jobs") if isinstance(given, dict)]
    jobs = tuple(read_job(folder, given, state != "running", written) for given in listed)
    named = [str(key) for key in sequence(content, "parameters")]
    return Sweep(
        folder=folder,
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


def job_name(folder: Any) -> str:
    """Return the name of a job's folder, as it was read from a file: a number, and no path.

    >>> job_name("12")
    '12'

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not isinstance(folder, str) or not re.fullmatch(r"[0-9]{1,9}", folder):
        raise ValueError(f"{str(folder)[:80]!r} is no folder of a job, which are numbered")
    return folder


def read_job(sweep: Path, given: dict[str, Any], ended: bool, written: float) -> Run:
    """Read a job's folder; ``ended`` and ``written`` say whether and when the sweep ended."""
    name = job_name(given.get("folder"))
    folder = sweep / name
    summary = masked(read_json(folder / "summary.json"))
    progress = read_json(folder / "progress.json")
    state = text(summary, "state")
    if not state:
        state = "running" if (folder / "summary.json").exists() else "waiting"
    if state == "running" and is_silent(folder, ended, written):
        state = "killed"
    step, running = finite(summary.get("steps")), state == "running"
    if running or not step:
        step = finite(progress.get("step")) or step or 0
    scores = summary.get("scores") if isinstance(summary.get("scores"), dict) else {}
    now = [progress, summary] if running else [summary, progress]
    return Run(
        name=name,
        folder=folder,
        overrides=tuple(map(str, sequence(given, "overrides"))),
        state=state,
        step=int(step),
        steps=int(finite(progress.get("steps")) or 0),
        score=first_number(now, "score"),
        scores={
            str(key): number
            for key, value in (scores or {}).items()
            if "/" in str(key) and (number := finite(value)) is not None
        },
        seconds=first_number(now, "seconds"),
        left=finite(progress.get("left")) if running else None,
        error=(text(summary, "error").strip().splitlines() or [""])[0],
        pictures=tuple(
            path for name in sequence(summary, "pictures") if (path := inside(folder, str(name)))
        ),
        wandb={
            str(k): str(v) for k, v in (summary.get("wandb") or {}).items() if v is not None
        } if isinstance(summary.get("wandb"), dict) else {},
    )  # fmt: skip


def is_silent(folder: Path, ended: bool, written: float) -> bool:
    """Whether a job that says it runs writes no more: its sweep ended, or nothing for long."""
    try:
        last = max(map(modified, (folder, *folder.iterdir())))
    except OSError:
        return False
    return (ended and last <= written) or time.time() - last > SILENCE


def modified(path: Path) -> float:
    """Return when a file was written, in seconds since 1970; 0 where it is not there."""
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


def first_number(contents: Iterable[dict[str, Any]], key: str) -> float | None:
    """Return the value of a key where it first is a number."""
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
    except OverflowError:  # a whole number beyond all floats
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
