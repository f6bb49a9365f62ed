"""The table ``sweep.csv``, with a row for each job of a sweep."""

from pathlib import Path

from unet_exp import csv_tables
from unet_exp.files import write_atomically
from unet_exp.records.sweep import Sweep
from unet_exp.records.sweep_folder import SweepFolder


def write_report(sweep: Sweep) -> Path:
    """Write settings, state, scores and seconds of all jobs to ``sweep.csv`` in their folder."""
    path = SweepFolder(sweep.folder).table
    write_atomically(path, to_csv(sweep))
    return path


def to_csv(sweep: Sweep) -> str:
    """Return the table: parameters, state and results of each job.

    >>> from unet_exp.records.sweep import Run
    >>> job = Run("0", Path("a/0"), ("seed=1",), "finished", score=0.5, scores={"val/seg": 0.5})
    >>> print(to_csv(Sweep(Path("a"), (job,), parameters=("seed",))))
    job,seed,state,score,val/seg,seconds,steps,folder,error
    0,1,finished,0.5,0.5,,0,a/0,
    """
    scores = list(dict.fromkeys(name for job in sweep.jobs for name in job.scores))
    # A parameter and a score may have the same name, so cells are ordered by position.
    head = ["state", "score", *scores, "seconds", "steps", "folder", "error"]
    rows = []
    for job in sweep.jobs:
        settings = [job.values.get(key) for key in sweep.parameters]
        found = [job.scores.get(name) for name in scores]
        end = [job.seconds, job.step, job.folder, job.error]
        rows.append([job.name, *settings, job.state, job.score, *found, *end])
    return csv_tables.written(["job", *sweep.parameters, *head], rows)
