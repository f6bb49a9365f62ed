"""Conclude a sweep: write its table and page, and print a summary."""

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

#: Largest number of errors that are printed; the page has all.
ERRORS = 5


def conclude(folder: Path, not_repeated: Sequence[str] = ()) -> Sweep:
    """Write ``sweep.csv`` and ``sweep.html`` in a sweep's folder, and print its results.

    Parameters
    ----------
    not_repeated
        Overrides that the command to resume must include, because they are not repeated.

    Raises FileNotFoundError or ValueError if the folder is no sweep, and OSError if the files
    cannot be written.
    """
    sweep = read_sweep(folder)
    table, page = write_report(sweep), write_page(sweep)
    print("\n".join(map(shown, lines(sweep, table, page, not_repeated))), flush=True)
    return sweep


def lines(sweep: Sweep, table: Path, page: Path, not_repeated: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the summary."""
    yield f"sweep       {count_jobs(sweep.jobs)}"
    if sweep.ranked:
        best = sweep.ranked[0]
        yield (
            f"best        job {best.name}, {sweep.monitor} {format_score(best.score)}: "
            f"{shlex.join(best.overrides)}"
        )
    failed = [job for job in sweep.jobs if job.error]
    for job in failed[:ERRORS]:
        yield f"{job.state:<11} job {job.name}: {job.error} ({RunFolder(job.folder).log})"
    if len(failed) > ERRORS:
        yield f"            and {len(failed) - ERRORS} more, which the page names"
    yield f"table       {table}"
    yield f"page        {page}"
    if address := group_address(sweep):
        yield f"W&B         {address}"
    if any(True for job in sweep.jobs for _ in RunFolder(job.folder).offline_wandb_runs()):
        folder = shlex.quote(str(sweep.folder))
        yield f"W&B         offline; to upload: wandb sync {folder}/*/wandb/offline-run-*"
    runs = sweep.state == "running" and "running" in sweep.counts
    if sweep.unfinished and not runs:
        yield f"to go on    {resume_command(sweep, not_repeated)}"


def resume_command(sweep: Sweep, not_repeated: Sequence[str] = ()) -> str:
    """Return the command that resumes a sweep; it repeats the recorded overrides.

    >>> resume_command(Sweep(Path("a/b"), command="python train.py model.depth=2,3 -m 'name=a b'"))
    'python train.py -m sweep.resume=a/b'
    >>> resume_command(Sweep(Path("a"), command="unet-train -m seed=0,1"), ["dataset.root=my own"])
    "unet-train -m sweep.resume=a 'dataset.root=my own'"
    """
    program = itertools.takewhile(
        lambda word: "=" not in word and not word.startswith(("-", "~")), shlex.split(sweep.command)
    )
    overrides = [f"sweep.resume={sweep.folder}", *not_repeated]
    return f"{shlex.join(program) or 'python train.py'} -m {shlex.join(overrides)}"
