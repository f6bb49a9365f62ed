"""A training inside a job of SLURM's: back into the queue, and back into its folder."""

import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from unet_exp.files import read_json
from unet_exp.secrets.masking import blanked

#: Words that say where a training writes and whether it goes on, not what it trains.
PLACES = ("hydra.", "hydra/", "resume=", "sweep.resume=", "-m", "--multirun")


def in_queue() -> dict[str, str] | None:
    """Return the state of each of this user's jobs by its id; None if SLURM does not answer."""
    words = ["squeue", "--noheader", "--array", f"--user={os.getuid()}", "--format=%i %T"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return None
    if answer.returncode:
        return None
    return dict(line.split()[:2] for line in answer.stdout.splitlines() if line.strip())


def ended_by_slurm() -> bool:
    """Tell whether the job of SLURM that this process is in was cancelled, or is queued again.

    A job that was only sent a signal still runs, and so does one that is about to be preempted.
    """
    array, job = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_JOB_ID")
    if array or job:
        mine = f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID')}" if array else str(job)
        state = (in_queue() or {}).get(mine, "RUNNING")
        return state != "RUNNING"
    return False


def requeue() -> bool:
    """Put the job that this process is in back into the queue; tell whether that was done.

    Not outside SLURM, not for submitit's jobs, which do so themselves, and not if the job was
    cancelled.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or "SUBMITIT_EXECUTOR" in os.environ or ended_by_slurm():
        return False
    try:
        words = ["scontrol", "requeue", job]
        return subprocess.run(words, check=False, capture_output=True).returncode == 0  # noqa: S603
    except OSError:
        return False


def requeued(words: Sequence[str]) -> list[str]:
    """Return what the words of a command need besides, to go on in a job that was queued again.

    The words are to be quoted as those that are recorded.

    The job's script starts the same commands anew. Each goes on in the folder that it had:
    the one under ``outputs/``, or under ``hydra.run.dir``, of the same job and words.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or not int(os.environ.get("SLURM_RESTART_COUNT", 0)):
        return []
    mine = [blanked(word) for word in words if not word.startswith(PLACES)]
    for path in records(words):
        content = read_json(path)
        if str(content.get("slurm_job_id")) != job:
            continue
        if list(map(blanked, said(str(content.get("command", ""))))) != mine:
            continue
        if path.name == "sweep.json":
            return [f"sweep.resume={path.parent}"]
        return [f"hydra.run.dir={path.parent}", "resume=true"]
    return []


def records(words: Sequence[str]) -> Iterator[Path]:
    """Yield the records of runs and sweeps that a command may have left, the newest first."""
    given = [
        Path(value.strip("'\"")) for key, _, value in (word.partition("=") for word in words)
        if key in ("hydra.run.dir", "hydra.sweep.dir")
    ]  # fmt: skip
    flags = ("-m", "--multirun", "sweep=", "+sweep=")
    sweep = any(word.startswith(flags) for word in words)
    kind, name = ("sweeps", "sweep.json") if sweep else ("runs", "summary.json")
    found = [folder / name for folder in given] or Path("outputs", kind).glob(f"*/*/{name}")
    yield from sorted(found, key=lambda path: path.parent.name, reverse=True)


def said(command: str) -> list[str]:
    """Return the words of a recorded command that say what it trains.

    >>> said("python train.py dataset=hela hydra.run.dir=a resume=true")
    ['dataset=hela']
    """
    return [word for word in shlex.split(command)[2:] if not word.startswith(PLACES)]
