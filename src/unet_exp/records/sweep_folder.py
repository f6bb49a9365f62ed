"""The folder of a sweep: the names of its files, and ``sweep.json``."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from unet_exp.files import read_json, to_json, write_atomically
from unet_exp.records.run_folder import RunFolder, own_entries
from unet_exp.secrets.masking import masked

#: Seconds after which ``queue.json`` is left from a sweep that was killed.
QUEUE_FRESH = 120.0


@dataclass(frozen=True)
class Job:
    """A planned training of a sweep: the name of its folder and its own overrides."""

    folder: str
    overrides: tuple[str, ...]

    def __str__(self) -> str:
        """Name the job in a message.

        >>> str(Job("2", ("model.depth=3", "seed=0")))
        'job 2 (model.depth=3 seed=0)'
        """
        return f"job {self.folder} ({' '.join(self.overrides)})" if self.overrides else "job 0"


@dataclass
class SweepRecord:
    """The content of ``sweep.json``: the request of the user, and the jobs."""

    command: str
    """The command line."""
    arguments: list[str]
    """The overrides of the command, including those of Hydra, without the sweep's folder."""
    words: list[str]
    """The overrides that all jobs share."""
    parameters: list[str]
    """Keys of the values that differ between jobs."""
    monitor: str
    """The score that ranks jobs, such as ``val/seg``."""
    mode: str
    """Whether larger (``max``) or smaller (``min``) scores are better."""
    sweeper: str
    started: str
    state: str = "running"
    jobs: list[Job] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    """Parameters that were searched on a logarithmic scale."""
    slurm_job_id: str | None = field(default_factory=lambda: os.environ.get("SLURM_JOB_ID"))
    """The SLURM job that the sweep itself runs in, if any."""


class SweepFolder:
    """The files of a sweep; each job has a numbered run folder in it."""

    #: Folders of the launchers.
    LAUNCHERS = ("submitit",)

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path / "sweep.json"
        #: A row for each job.
        self.table = path / "sweep.csv"
        self.page = path / "sweep.html"
        #: Locked by the process that runs the sweep.
        self.lock = path / ".lock"
        #: The configuration of the sweep as Hydra composed it.
        self.hydra = path / "multirun.yaml"
        #: The study of a search.
        self.study = path / "optuna.log"
        #: The jobs that a scheduler lets wait, and why; written again every few seconds.
        self.queue = path / "queue.json"

    def entries(self) -> set[str]:
        """Return the names of all files that a sweep writes, except the folders of jobs."""
        return own_entries(self) | {*self.LAUNCHERS}

    def run(self, name: Any) -> RunFolder:
        """Return the folder of a job.

        Raises ValueError if the name is not a number.
        """
        return RunFolder(self.path / job_name(name))

    def recorded_runs(self) -> Iterator[RunFolder]:
        """Yield the numbered folders in which a training is recorded."""
        for folder in sorted(self.path.glob("[0-9]*")):
            if folder.name.isdecimal() and RunFolder(folder).summary.exists():
                yield RunFolder(folder)

    def read_content(self) -> dict[str, Any]:
        """Return the content of ``sweep.json`` without secrets; empty if it cannot be read."""
        return masked(read_json(self.record))

    def write_record(self, record: SweepRecord) -> None:
        """Write ``sweep.json``, without secrets."""
        write_atomically(self.record, to_json(asdict(record)))

    def read_record(self) -> SweepRecord | None:
        """Return the record of the sweep; None if the folder holds no sweep.

        Raises ValueError if ``sweep.json`` is damaged.
        """
        if not self.record.exists():
            return None
        content = read_json(self.record)
        try:
            jobs = [
                Job(job_name(job["folder"]), texts(job["overrides"])) for job in content.pop("jobs")
            ]
            for name in ("arguments", "words", "parameters", "log"):
                content[name] = list(texts(content.get(name, [])))
            return SweepRecord(**content, jobs=jobs)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{self.record} cannot be read ({error}). The folders of its jobs are intact. To "
                "run the jobs again, give another folder: hydra.sweep.dir=..."
            ) from error

    def write_queue(self, reasons: dict[str, str]) -> None:
        """Write ``queue.json``: for each job that waits, by its folder, why it does."""
        write_atomically(self.queue, to_json({"waiting": reasons}))

    def read_queue(self) -> dict[str, str]:
        """Return why jobs wait, by their folders; empty if this was not written lately."""
        try:
            late = time.time() - self.queue.stat().st_mtime > QUEUE_FRESH
        except OSError:
            return {}
        waiting = {} if late else read_json(self.queue).get("waiting")
        return {str(k): str(v) for k, v in waiting.items()} if isinstance(waiting, dict) else {}

    def overrides_of(self, name: str) -> list[str] | None:
        """Return the overrides of a job; None if the sweep has no such job."""
        jobs = self.read_content().get("jobs")
        for job in jobs if isinstance(jobs, list) else ():
            if isinstance(job, dict) and job.get("folder") == name:
                return [item for item in job.get("overrides", ()) if isinstance(item, str)]
        return None


def job_name(folder: Any) -> str:
    """Return the name of a job's folder.

    Raises ValueError if it is not a number.
    """
    if not isinstance(folder, str) or not re.fullmatch(r"[0-9]{1,9}", folder):
        raise ValueError(f"{str(folder)[:80]!r} is no folder of a job, which are numbered")
    return folder


def texts(values: Any) -> tuple[str, ...]:
    """Return a list of texts as a tuple.

    Raises TypeError for anything else.
    """
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"{str(values)[:80]} is no list of texts")
    return tuple(values)
