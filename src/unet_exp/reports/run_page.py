"""``report.html`` of a run: its scores, its learning curves, and how to repeat it."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from unet_exp.numbers import format_duration, format_score, parse_number
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep import Run, number, read_run, split
from unet_exp.reports.chart import words
from unet_exp.reports.curves import learning_curves
from unet_exp.reports.document import render, write
from unet_exp.reports.scored_images import mapping, names_of, scored_images
from unet_exp.reports.thumbnails import last_of_each, own_pictures, shown_picture

SCRIPTS = ("vendor/plot.min.js", "figures.js", "actions.js")
#: Number of validation images that are shown while a training runs.
PICTURES = 2


def write_run_page(folder: RunFolder) -> Path:
    """Write ``report.html`` in a run's folder."""
    return write(folder.report, run_page(folder))


def run_page(folder: RunFolder) -> str:
    """Return the page of a run; sections without a record yet are left out."""
    run = read_run(folder, folder.read_overrides(), None)
    summary, rows = folder.read_summary(), folder.read_metrics()
    config = folder.read_config()
    monitor = named(summary, "monitor") or f"val/{config.get('monitor.metric', 'loss')}"
    mode = "min" if summary.get("mode") == "min" else "max"
    started = named(summary, "started")[:16].replace("T", " ")
    best = best_row(rows, monitor, mode)
    fitted = mapping(summary.get("fitted_postprocessing"))
    gains = mapping(fitted.get("scores"))
    gain = mapping(gains.get(monitor.removeprefix("val/")))
    scored = scored_images(EvaluationFolder(folder.validation), monitor.removeprefix("val/"))
    return render(
        "run.html",
        SCRIPTS,
        title=named(summary, "name") or folder.path.name,
        state=run.state,
        about=[word for word in (started, named(summary, "host")) if word],
        verdict=verdict(run, monitor, best, gain, len(rows)),
        error=run.error,
        silence=silence(rows),
        tiles=tiles(run, rows, monitor, best, gain),
        curves=learning_curves(rows, monitor, best),
        **score_table(best, gains, mapping(fitted.get("values"))),
        scored=scored,
        pictures=[] if scored and scored["pictures"] else validation_pictures(folder),
        changed=list(map(split, folder.read_overrides())),
        planned=list(folder.planned().items()),
        configuration=list(config.items()),
        command=named(summary, "command"),
        environment=environment(summary),
        files=names_of(
            folder.checkpoints, folder.config, folder.metrics, folder.summary, folder.log
        ),
    )


def named(summary: Mapping[str, Any], key: str) -> str:
    """Return a text of the summary; empty if there is none."""
    value = summary.get(key)
    return value if isinstance(value, str) else ""


def best_row(rows: list[dict[str, float]], monitor: str, mode: str) -> dict[str, float]:
    """Return the row of the best validation; an empty one if none has the score.

    >>> best_row([{"step": 1, "val/seg": 0.5}, {"step": 2, "val/seg": 0.25}], "val/seg", "max")
    {'step': 1, 'val/seg': 0.5}
    """
    scored = [row for row in rows if parse_number(row.get(monitor)) is not None]
    choose = max if mode == "max" else min
    return choose(scored, key=lambda row: row[monitor]) if scored else {}


def verdict(
    run: Run,
    monitor: str,
    best: Mapping[str, float],
    gain: Mapping[str, Any],
    validations: int,
) -> str:
    """Return the main result in one or two sentences."""
    name = words(monitor)
    if not best:
        return "No validation has been recorded yet."
    at = f"at step {best.get('step', 0):.0f}"
    many = f", the best of {validations} validations" if validations > 1 else ""
    told = f"{name} {format_score(best[monitor])} {at}{many}."
    fitted, left_out = number(gain.get("fitted")), number(gain.get("left_out"))
    if fitted is not None:
        told += f" With the fitted postprocessing {format_score(fitted)}"
        if left_out is not None:
            told += (
                f"; {format_score(left_out)} with each image left out of its own fit, which is "
                "the estimate for new images"
            )
        told += "."
    if run.state == "running":
        told += " The training goes on."
    return told


def tiles(
    run: Run,
    rows: list[dict[str, float]],
    monitor: str,
    best: Mapping[str, float],
    gain: Mapping[str, Any],
) -> list[tuple[str, str, str]]:
    """Return the numbers at the top: a label, a value and a note each."""
    name = words(monitor)
    left_out = number(gain.get("left_out"))
    score = left_out if left_out is not None else best.get(monitor)
    note = "each image left out of the fit" if left_out is not None else "best validation"
    found = [(name, format_score(score), note)]
    if best:
        so_far = " so far" * (run.state == "running")
        found.append(("Best step", f"{best.get('step', 0):.0f}", f"of {run.step}{so_far}"))
    left = f"{format_duration(run.left)} left" if run.left is not None else ""
    found.append(("Time", format_duration(run.seconds) or "-", left or "hours:min:s"))
    waits = [row["data_wait"] for row in rows if "data_wait" in row]
    if waits:
        mean = sum(waits) / len(waits)
        note = "of the training time" if mean < 0.1 else "high: more loader.num_workers may help"
        found.append(("Waiting for data", f"{100 * mean:.1f} %", note))
    return found


def score_table(
    best: Mapping[str, float], gains: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the table of all scores of the best checkpoint, before and after the fit."""
    names = [name for name in best if name.startswith("val/")]
    names += [f"val/{name}" for name in gains if f"val/{name}" not in best]
    heads = ["score", "unfitted", "fitted", "left out"] if gains else ["score", "value"]
    rows = []
    for name in names:
        gain = mapping(gains.get(name.removeprefix("val/")))
        value = best.get(name, number(gain.get("unfitted")))
        more = [format_score(number(gain.get(key))) for key in ("fitted", "left_out")]
        rows.append((words(name), [format_score(value), *(more if gains else [])]))
    told = f"All validation images together, at step {best['step']:.0f}." if "step" in best else ""
    if values:
        told += f" Fitted values: {', '.join(f'{key}={value}' for key, value in values.items())}."
    if gains:
        told += " “Left out” scores each image with the values fitted to the other images."
    return {"scores": rows, "score_heads": heads, "scores_told": told}


def validation_pictures(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the last pictures that the training drew."""
    found = []
    for name, path in last_of_each(own_pictures(folder.pictures), PICTURES).items():
        step = path.stem.rpartition("_step_")[2].lstrip("0")
        note = f"step {step}" if step.isdecimal() else ""
        text = f"Image, labels, prediction and errors of {name}"
        if image := shown_picture(path, name, note, text):
            found.append(image)
    return found


def silence(rows: list[dict[str, float]]) -> int:
    """Return the seconds without a new page after which a training may have been killed.

    >>> silence([{"seconds": 100.0}, {"seconds": 700.0}])
    1800
    """
    times = [0.0, *(row["seconds"] for row in rows if "seconds" in row)]
    longest = max((after - before for before, after in pairwise(times)), default=0)
    return int(max(900, 3 * longest))


def environment(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return machine, versions and commit."""
    keys = ("host", "platform", "python", "git_commit", "slurm_job_id", "ended_by")
    found = [(key, str(summary[key])) for key in keys if summary.get(key)]
    return found + [(name, str(v)) for name, v in mapping(summary.get("versions")).items()]
