"""Requeue a training in a SLURM job, and continue it in its folder."""

import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from unet_exp.configuration.overrides import CommandLine, Override
from unet_exp.files import read_json
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.secrets.masking import without_secrets

#: States of a job that is in the queue and does not run.
WAITING = (
    "PENDING", "CONFIGURING", "SUSPENDED", "REQUEUED", "REQUEUE_HOLD", "RESV_DEL_HOLD",
    "SPECIAL_EXIT",
)  # fmt: skip


class QueuedJob(NamedTuple):
    """A job as squeue shows it."""

    state: str
    """Such as ``PENDING`` or ``RUNNING``."""
    reason: str
    """Why it waits, such as ``Resources`` or ``BeginTime``; SLURM's word."""

    @property
    def waits(self) -> bool:
        """Tell whether the job does not run.

        >>> QueuedJob("PENDING", "Resources").waits, QueuedJob("RUNNING", "None").waits
        (True, False)
        """
        return self.state in WAITING


def in_queue() -> dict[str, QueuedJob] | None:
    """Return each of this user's jobs by its id; None if SLURM does not answer."""
    words = ["squeue", "--noheader", "--array", f"--user={os.getuid()}", "--format=%i %T %r"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return None
    if answer.returncode:
        return None
    jobs = (line.split(maxsplit=2) for line in answer.stdout.splitlines() if line.strip())
    return {job: QueuedJob(state, " ".join(reason)) for job, state, *reason in jobs}


def ended_by_slurm() -> bool:
    """Return whether this process's SLURM job was cancelled or requeued.

    A job that has only received a signal counts as running, even shortly before its preemption.
    """
    array, job = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_JOB_ID")
    if array or job:
        mine = f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID')}" if array else str(job)
        found = (in_queue() or {}).get(mine)
        return found is not None and found.state != "RUNNING"
    return False


def requeue() -> bool:
    """Requeue this process's SLURM job; return whether it was requeued.

    Nothing is done outside SLURM, for a cancelled job, and for jobs of submitit, which requeues
    them itself.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or "SUBMITIT_EXECUTOR" in os.environ or ended_by_slurm():
        return False
    try:
        words = ["scontrol", "requeue", job]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


def requeued(line: CommandLine) -> list[Override]:
    """Return the additional overrides with which a command of a requeued job continues its run.

    SLURM starts the job's script again, with the same commands. Each command continues in its old
    folder: the one in ``outputs/``, or in ``hydra.run.dir``, whose record names this job and the
    same training.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or not int(os.environ.get("SLURM_RESTART_COUNT", 0)):
        return []
    for path in records(line):
        content = read_json(path)
        words = shlex.split(str(content.get("command", "")))[2:]
        if str(content.get("slurm_job_id")) != job or trained(words) != trained(line.words()):
            continue
        if line.is_sweep:
            return [Override.of("sweep.resume", str(path.parent))]
        return [Override.of("hydra.run.dir", str(path.parent)), Override.parse("resume=true")]
    return []


def records(line: CommandLine) -> Iterator[Path]:
    """Yield the records of earlier runs or sweeps of a command, the newest first."""
    record = SweepFolder(Path()).record if line.is_sweep else RunFolder(Path()).summary
    kind, name = "sweeps" if line.is_sweep else "runs", record.name
    folders = filter(None, map(line.value, ("hydra.run.dir", "hydra.sweep.dir")))
    found = [Path(str(one)) / name for one in folders] or Path("outputs", kind).glob(f"*/*/{name}")
    yield from sorted(found, key=lambda path: path.parent.name, reverse=True)


def trained(words: Sequence[str]) -> list[str]:
    """Return the overrides of a recorded command that affect the training, without secrets.

    >>> trained(["dataset=hela", "hydra.run.dir=a", "resume=true"])
    ['dataset=hela']
    """
    overrides = CommandLine.recorded(words).overrides
    return [without_secrets(one.text) for one in overrides if not one.is_of_record]
