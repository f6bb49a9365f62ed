"""``sweep.html``: a sweep on one page that needs neither a network nor an account."""

import html
import json
import math
import re
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from unet_exp.configuration.tree import is_under
from unet_exp.files import replacing
from unet_exp.numbers import parse_number
from unet_exp.records.groups import REPEATS, Group, group_jobs, short_names
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep import Run, Sweep, split
from unet_exp.records.sweep_folder import SweepFolder
from unet_exp.reports.curves import thin_curves
from unet_exp.reports.thumbnails import as_uri, last_pictures
from unet_exp.shown import shown_lines

HERE = Path(__file__).parent
SCRIPTS = ("scales", "charts", "selection", "brush", "table", "page")
#: Positive values are drawn on a log scale if max / min is at least this.
DECADES = 100


def write_page(sweep: Sweep) -> Path:
    """Write ``sweep.html`` in the sweep's folder."""
    path = SweepFolder(sweep.folder).page
    with replacing(path) as part:
        part.write_text(page(sweep), encoding="utf-8")
    return path


def page(sweep: Sweep) -> str:
    """Return the page: template, style, script and data in one text."""
    # A "<" in a setting could end the element that holds the data.
    data = json.dumps(cleaned(content(sweep)), allow_nan=False).replace("<", "\\u003c")
    parts = {
        "title": html.escape(shown_lines(sweep.name)),
        "style": (HERE / "page.css").read_text(encoding="utf-8"),
        "script": "".join((HERE / f"{n}.js").read_text(encoding="utf-8") for n in SCRIPTS),
        "data": data,
    }
    template = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def cleaned(value: Any) -> Any:
    r"""Return plain data with all texts made safe to show, except pictures, which are our own.

    >>> cleaned({"error": ["a\u202eb", 1.5], "source": "data:image/webp;base64,AA"})
    {'error': ['a\\u202eb', 1.5], 'source': 'data:image/webp;base64,AA'}
    """
    if isinstance(value, dict):
        return {
            shown_lines(key): item if key == "source" else cleaned(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return shown_lines(value) if isinstance(value, str) else value


def content(sweep: Sweep) -> dict[str, Any]:
    """Return the content of the page as plain data."""
    ranks = {job.name: rank for rank, job in enumerate(sweep.ranked)}
    jobs = [job_data(sweep, job, ranks.get(job.name)) for job in sweep.jobs]
    names = short_names(sweep.parameters)
    columns = [[job.values.get(key) for job in sweep.jobs] for key in sweep.parameters]
    curves = dict.fromkeys(name for job in jobs for name in job["curves"]["metrics"])
    return {
        "monitor": sweep.monitor,
        "mode": sweep.mode,
        "command": sweep.command,
        "sweeper": sweep.sweeper,
        "started": sweep.started,
        "state": sweep.state,
        "counts": sweep.counts,
        "written": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "renew": f"unet-sweep {shlex.quote(str(sweep.folder))}",
        "group": group_address(sweep),
        "settings": [
            {"key": key, "label": names[key], **kind(values, key in sweep.log)}
            for key, values in zip(sweep.parameters, columns, strict=True)
        ],
        "scores": list(dict.fromkeys(name for job in sweep.jobs for name in job.scores)),
        "curves": sorted(curves, key=lambda name: name != sweep.monitor),
        "jobs": jobs,
        "repeats": [group_data(sweep, group) for group in group_jobs(sweep)],
        "pictures": pictures(sweep),
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
        "values": values,
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

    def plain(values: dict[str, float]) -> dict[str, float | None]:
        return {name: value if math.isfinite(value) else None for name, value in values.items()}

    return {
        "label": "  ".join(f"{name}={value}" for name, value in settings.items()),
        "jobs": [indices[run.name] for run in group.runs],
        "mean": plain(group.over_runs("mean")),
        "deviation": plain(group.over_runs("std")),
    }


def pictures(sweep: Sweep) -> list[dict[str, Any]]:
    """Return pictures of the best and the worst job, scaled down."""
    if not sweep.ranked:
        return []
    ends = [("best", sweep.ranked[0]), ("worst", sweep.ranked[-1])]
    found = []
    for role, job in ends[: len(sweep.ranked)]:
        named = {name: as_uri(path) for name, path in last_pictures(job).items()}
        images = [{"name": name, "source": source} for name, source in named.items() if source]
        if images:
            found.append({"role": role, "job": sweep.jobs.index(job), "images": images})
    return found


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
