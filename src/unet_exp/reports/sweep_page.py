"""``sweep.html``: a page for a sweep that needs neither a network connection nor an account."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from unet_exp.configuration.tree import is_under
from unet_exp.files import finite
from unet_exp.numbers import format_score, parse_number, tidy
from unet_exp.records.groups import REPEATS, Group, group_jobs, short_names
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep import Run, Sweep, split
from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.reports.chart import words
from unet_exp.reports.curves import thin_curves
from unet_exp.reports.document import render, write
from unet_exp.reports.importance import importance
from unet_exp.reports.pairs import pairs
from unet_exp.reports.thumbnails import last_of_each, shown_picture

SCRIPTS = ("scales", "charts", "selection", "brush", "table", "page")
#: Positive values are drawn on a log scale if max / min is at least this.
DECADES = 100
#: Images, and jobs, whose pictures are shown side by side, and their width in pixels.
IMAGES, JOBS, PICTURE_WIDTH = 2, 6, 900


def write_page(sweep: Sweep) -> Path:
    """Write ``sweep.html`` in the sweep's folder."""
    return write(SweepFolder(sweep.folder).page, page(sweep))


def page(sweep: Sweep) -> str:
    """Return the page of a sweep."""
    chart, reason = importance(sweep)
    compared, rows = pairs(sweep)
    return render(
        "jobs.html",
        ("vendor/plot.min.js", "figures.js", "actions.js", *(f"{name}.js" for name in SCRIPTS)),
        title=sweep.name,
        state="",  # the page of a running sweep is not updated automatically
        verdict=verdict(sweep),
        importance=chart,
        importance_told=reason,
        pairs=compared,
        pair_rows=rows,
        pictures=pictures(sweep),
        data=content(sweep),
    )


def verdict(sweep: Sweep) -> str:
    """Return a sentence about the best job."""
    if not sweep.ranked:
        return "No job has finished with a score yet."
    best, names = sweep.ranked[0], short_names(sweep.parameters)
    settings = " ".join(f"{names[key]}={tidy(value)}" for key, value in best.values.items())
    count = len(sweep.ranked)
    of = f", the best of {count} finished jobs" if count > 1 else ""
    score = f"{words(sweep.monitor)} {format_score(best.score)}"
    return f"Job {best.name} ({settings}): {score}{of}."


def content(sweep: Sweep) -> dict[str, Any]:
    """Return the content of the page as plain data."""
    ranks = {job.name: rank for rank, job in enumerate(sweep.ranked)}
    jobs = [job_data(sweep, job, ranks.get(job.name)) for job in sweep.jobs]
    names = short_names(sweep.parameters)
    columns = [[job.values.get(key) for job in sweep.jobs] for key in sweep.parameters]
    scores = list(dict.fromkeys(name for job in sweep.jobs for name in job.scores))
    curves = dict.fromkeys(name for job in jobs for name in job["curves"]["metrics"])
    return {
        "monitor": sweep.monitor,
        "score": words(sweep.monitor),
        "mode": sweep.mode,
        "command": sweep.command,
        "sweeper": sweep.sweeper,
        "started": sweep.started,
        "state": sweep.state,
        "counts": sweep.counts,
        "renew": f"unet-sweep {shlex.quote(str(sweep.folder))}",
        "group": group_address(sweep),
        "settings": [
            {"key": key, "label": names[key], **kind(values, key in sweep.log)}
            for key, values in zip(sweep.parameters, columns, strict=True)
        ],
        "scores": scores,
        "names": [words(name) for name in scores],
        "curves": sorted(curves, key=lambda name: name != sweep.monitor),
        "jobs": jobs,
        "repeats": [group_data(sweep, group) for group in group_jobs(sweep)],
    }


def job_data(sweep: Sweep, job: Run, rank: int | None) -> dict[str, Any]:
    """Return the data of a job, given its rank from 0, the best.

    ``good`` is the rank and ``share`` the score, scaled from 0, the worst, to 1, the best.
    """
    last = len(sweep.ranked) - 1
    values = [job.values.get(key) for key in sweep.parameters]
    points = max(40, min(200, 20_000 // len(sweep.jobs)))
    return {
        "name": job.name,
        "folder": str(job.folder),
        "values": [tidy(value) for value in values],
        "numbers": [parse_number(value) for value in values],
        "state": job.state,
        "ended": job.state not in ("waiting", "running"),
        "score": job.score,
        "scores": job.scores,
        "rank": None if rank is None else rank + 1,
        "good": None if rank is None else 1 - rank / last if last else 1.0,
        "share": None if rank is None else share(sweep, job),
        "seconds": job.seconds,
        "left": job.left,
        "progress": job.progress,
        "error": job.error,
        "url": web_address(job.wandb.get("url", "")),
        "command": reproduction(sweep, job),
        "curves": thin_curves(RunFolder(job.folder).read_metrics(), points),
    }


def share(sweep: Sweep, job: Run) -> float:
    """Return a score scaled from 0, the worst, to 1, the best."""
    best, worst = (sweep.ranked[rank].score or 0.0 for rank in (0, -1))
    return ((job.score or 0.0) - worst) / (best - worst) if best != worst else 1.0


def kind(values: Sequence[str | None], log: bool) -> dict[str, bool]:
    """Return whether a setting is numeric, drawn on a log scale, and varied.

    >>> kind(["1e-4", "0.1", None], log=False)
    {'numeric': True, 'log': True, 'varied': True}
    >>> kind(["true", "1"], log=True)
    {'numeric': False, 'log': False, 'varied': True}
    """
    given = [value for value in values if value is not None]
    numbers = [found for value in given if (found := parse_number(value)) is not None]
    numeric = bool(given) and len(numbers) == len(given)
    positive = numeric and min(numbers) > 0
    wide = positive and max(numbers) >= DECADES * min(numbers)
    return {"numeric": numeric, "log": positive and (log or wide), "varied": len(set(values)) > 1}


def reproduction(sweep: Sweep, job: Run) -> str:
    """Return the command that trains one job alone.

    >>> sweep = Sweep(Path("s"), words=("dataset=hela", "hydra/launcher=ray", "+sweep=folds"))
    >>> reproduction(sweep, Run("0", Path("s/0"), ("seed=1", "name=a b")))
    "python train.py dataset=hela seed=1 'name=a b'"
    """
    common = [
        word
        for word in sweep.words
        if not word.startswith("-")
        and not is_under(split(word)[0], ("hydra", "sweep"))
        and split(word)[0] not in job.values
    ]
    return shlex.join(["python", "train.py", *common, *job.overrides])


def group_data(sweep: Sweep, group: Group[Run]) -> dict[str, Any]:
    """Return the data of a group of jobs."""
    indices = {job.name: index for index, job in enumerate(sweep.jobs)}
    names = short_names(sweep.parameters)
    differing = [key for key in sweep.parameters if key not in REPEATS]
    settings = {names[k]: group.settings[k] for k in differing if group.settings[k] is not None}

    return {
        "label": "  ".join(f"{name}={tidy(value)}" for name, value in settings.items()),
        "jobs": [indices[run.name] for run in group.runs],
        "mean": finite(group.over_runs("mean")),
        "deviation": finite(group.over_runs("std")),
    }


def pictures(sweep: Sweep) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return pictures of the same images in several jobs, from the best job to the worst."""
    count = len(sweep.ranked)
    places = {
        round(n * (count - 1) / max(1, min(count, JOBS) - 1)) for n in range(min(count, JOBS))
    }
    chosen = {rank: last_of_each(sweep.ranked[rank].pictures) for rank in sorted(places)}
    names = Counter(name for found in chosen.values() for name in found)
    short = short_names(sweep.parameters)
    shown = []
    for name, _ in names.most_common(IMAGES):
        images = []
        for rank, found in chosen.items():
            job = sweep.ranked[rank]
            settings = " ".join(f"{short[key]}={tidy(value)}" for key, value in job.values.items())
            title = f"Job {job.name}: {words(sweep.monitor)} {format_score(job.score)}"
            text = f"Image, labels, prediction and errors of {name} in job {job.name}"
            path = found.get(name)
            if path and (image := shown_picture(path, title, settings, text, PICTURE_WIDTH)):
                images.append(image)
        if images:
            shown.append((name, images))
    return shown


def group_address(sweep: Sweep) -> str | None:
    """Return the address of a sweep's group of runs on W&B; None if they are not online.

    >>> run = {"url": "https://wandb.ai/me/unet_exp/runs/a1", "group": "hela/1", "mode": "online"}
    >>> group_address(Sweep(Path("s"), (Run("0", Path("s/0"), wandb=run),)))
    'https://wandb.ai/me/unet_exp/groups/hela%2F1'
    """
    for job in sweep.jobs:
        project, found, _ = (web_address(job.wandb.get("url", "")) or "").partition("/runs/")
        group = job.wandb.get("group")
        if found and group and job.wandb.get("mode", "online") == "online":
            return f"{project}/groups/{quote(group, safe='')}"
    return None


def web_address(text: str) -> str | None:
    """Return the address of a web page; None for anything else, such as a script."""
    return text if text.startswith(("https://", "http://")) else None
