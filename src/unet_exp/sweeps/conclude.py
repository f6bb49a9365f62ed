"""What a sweep says at its end: how its jobs stand, which is best, where to look, how to go on."""

import itertools
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from unet_exp.numbers import format_score
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep import Sweep, read_sweep
from unet_exp.reports.sweep_page import group_address, write_page
from unet_exp.shown import shown
from unet_exp.sweeps.report import write_report
from unet_exp.sweeps.table import count_jobs

#: At most so many errors are told; the page has all.
ERRORS = 5


def conclude(folder: Path, again: Sequence[str] = ()) -> Sweep:
    """Write ``sweep.csv`` and ``sweep.html`` in a sweep's folder, and print what it came to.

    Parameters
    ----------
    again
        Overrides to give again when the sweep goes on, since a folder may not say them.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder is no sweep.
    OSError
        If the files cannot be written.
    """
    sweep = read_sweep(folder)
    paths = [write_report(sweep), write_page(sweep)]
    print("\n".join(map(shown, lines(sweep, paths, again))), flush=True)
    return sweep


def lines(sweep: Sweep, paths: list[Path], again: Sequence[str] = ()) -> Iterator[str]:
    """Yield what is said, line by line; ``paths`` are those of the table and the page."""
    yield f"sweep       {count_jobs(sweep.jobs)}"
    if sweep.ranked:
        best = sweep.ranked[0]
        yield (
            f"best        job {best.name}, {sweep.monitor} {format_score(best.score)}: "
            f"{shlex.join(best.overrides)}"
        )
    broken = [job for job in sweep.jobs if job.error]
    for job in broken[:ERRORS]:
        yield f"{job.state:<11} job {job.name}: {job.error} ({RunFolder(job.folder).log})"
    if len(broken) > ERRORS:
        yield f"            and {len(broken) - ERRORS} more, which the page names"
    for kind, path in zip(("table", "page"), paths, strict=True):
        yield f"{kind:<11} {path}"
    address = group_address(sweep)
    if address:
        yield f"W&B         {address}"
    if offline(sweep):
        folder = shlex.quote(str(sweep.folder))
        yield f"W&B         offline; to upload: wandb sync {folder}/*/wandb/offline-run-*"
    runs = sweep.state == "running" and "running" in sweep.counts
    if sweep.unfinished and not runs:
        yield f"to go on    {resuming(sweep, again)}"


def offline(sweep: Sweep) -> bool:
    """Whether a job has W&B runs that were not uploaded."""
    return any(True for job in sweep.jobs for _ in RunFolder(job.folder).offline_wandb_runs())


def resuming(sweep: Sweep, again: Sequence[str] = ()) -> str:
    """Return the command that runs the jobs which are not finished; its words are recorded.

    >>> resuming(Sweep(Path("a/b"), command="python train.py -m seed=0,1"))
    'python train.py -m sweep.resume=a/b'
    >>> resuming(Sweep(Path("a/b"), command="unet-train -m seed=0,1"))
    'unet-train -m sweep.resume=a/b'
    >>> resuming(Sweep(Path("a/b"), command="python train.py model.depth=2,3 -m 'name=a b'"))
    'python train.py -m sweep.resume=a/b'
    >>> resuming(Sweep(Path("a/b"), command="python train.py -m seed=0,1"), ["dataset.root=my own"])
    "python train.py -m sweep.resume=a/b 'dataset.root=my own'"
    """
    words = itertools.takewhile(
        lambda word: "=" not in word and not word.startswith(("-", "~")), shlex.split(sweep.command)
    )
    program = shlex.join(words) or "python train.py"
    return f"{program} -m {shlex.join([f'sweep.resume={sweep.folder}', *again])}"
