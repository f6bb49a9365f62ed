"""``report.html`` of an evaluation: the scores of images, or of several runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unet_exp.numbers import format_score, format_short
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.sweep import number
from unet_exp.reports.chart import Axis, Chart, Series, words
from unet_exp.reports.document import render, write
from unet_exp.reports.scored_images import listed, mapping, names_of, scored_images

SCRIPTS = ("vendor/plot.min.js", "figures.js", "actions.js")
SPREAD = ("mean", "std", "median")


def write_evaluation_page(folder: EvaluationFolder, criterion: str | None = None) -> Path:
    """Write ``report.html`` in the folder of an evaluation.

    ``criterion`` is the score that sorts the images. None means the first score.
    """
    return write(folder.report, evaluation_page(folder, criterion))


def evaluation_page(folder: EvaluationFolder, criterion: str | None = None) -> str:
    """Return the page of an evaluation."""
    record = folder.read_record()
    of_runs = isinstance(record.get("runs"), list)
    content = runs_content(record) if of_runs else images_content(record)
    first = criterion or next(iter(mapping(record.get("scores"))), "")
    shown = ("dataset", "split", "checkpoint", "images", "tta", "scale", "started", "git_commit")
    return render(
        "evaluation.html",
        SCRIPTS,
        state="finished",
        about=["Evaluation", str(record.get("started") or "")[:16].replace("T", " ")],
        title=title(record, folder.path),
        scored=None if of_runs else scored_images(folder, first),
        facts=[(key, told(record[key])) for key in shown if record.get(key) is not None],
        command=record["command"] if isinstance(record.get("command"), str) else "",
        files=names_of(folder.record, folder.images, folder.objects, folder.runs, folder.pictures),
        **content,
    )


def title(record: Mapping[str, Any], path: Path) -> str:
    """Return the heading: what was scored."""
    words = [record.get("dataset"), record.get("split")]
    return ", ".join(str(word) for word in words if word) or path.name


def told(value: Any) -> str:
    """Return a fact of the record as text."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def images_content(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return verdict, numbers and table for scored images."""
    scores = {
        name: value
        for name, given in mapping(record.get("scores")).items()
        if (value := number(given)) is not None
    }
    count = record.get("images")
    images = f"{count} image{'s' * (count != 1)}" if isinstance(count, int) else "all images"
    best = list(scores.items())[:3]
    verdict = "; ".join(f"{words(name)} {format_score(value)}" for name, value in best)
    fitted = record.get("tuning") or record.get("fitted_in_training")
    note = ""
    if record.get("tuning"):
        note = " The postprocessing was fitted to these images, so new images may score lower."
    elif fitted:
        note = " The postprocessing was fitted to the validation images of the training."
    rows = []
    for name, value in scores.items():
        spread = mapping(mapping(record.get("per_image")).get(name))
        details = mapping(mapping(record.get("details")).get(name))
        known = {key: number(value) for key, value in details.items()}
        more = ", ".join(f"{key} {format_short(v)}" for key, v in known.items() if v is not None)
        cells = [format_score(number(spread.get(kind))) for kind in SPREAD]
        rows.append((words(name), [format_score(value), *cells, more]))
    return {
        "verdict": f"{verdict or 'No score'}, over {images}.{note}",
        "tiles": [
            (words(name), format_score(value), "all images together") for name, value in best
        ],
        "scores_told": "All images together; mean, standard deviation and median of single images.",
        "score_heads": ["score", "all", *SPREAD, "details"],
        "scores": rows,
        "charts": [],
    }


def runs_content(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return verdict, numbers and table for several scored runs."""
    runs = [mapping(run) for run in record["runs"]]
    groups = [group for group in listed(record.get("groups")) if isinstance(group, dict)]
    names = list(dict.fromkeys(n for group in groups for n in mapping(group.get("mean"))))
    failed = sum(bool(run.get("error")) for run in runs)

    def cells(values: Mapping[str, Any]) -> list[str]:
        return [format_score(number(values.get(name))) for name in names]

    rows = [(str(run.get("run")), [*cells(run), str(run.get("error") or "")]) for run in runs]
    for group in groups:
        label = as_text(mapping(group.get("settings")))
        for kind in ("mean", "std"):
            rows.append((f"{kind} {label}".strip(), [*cells(mapping(group.get(kind))), ""]))
    first = names[0] if names else ""
    best = [number(mapping(group.get("mean")).get(first)) for group in groups]
    known = [value for value in best if value is not None]
    verdict = f"{len(runs)} run{'s' * (len(runs) != 1)} scored"
    verdict += f", {failed} of them failed" if failed else ""
    if len(known) == 1:
        verdict += f"; mean {words(first)} {format_score(known[0])}"
    return {
        "verdict": f"{verdict}.",
        "tiles": [],
        "scores_told": "Each run is scored on its own split.",
        "score_heads": ["run", *map(words, names), ""],
        "scores": rows,
        "charts": by_run(runs, names[:4]),
    }


def by_run(runs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Chart]:
    """Return a chart of the scores of all runs."""
    charts = []
    for name in names:
        scored = [(str(run.get("run")), number(run.get(name))) for run in runs]
        known = [(run, value) for run, value in scored if value is not None]
        if len(known) > 1:
            runs_of, values = zip(*known, strict=True)
            series = Series("", values, runs_of, "dots")
            across, up = Axis(words(name)), Axis("run", kind="words")
            charts.append(Chart(words(name), across, up, [series]))
    return charts


def as_text(settings: Mapping[str, Any]) -> str:
    """Return settings as words of a command line."""
    return " ".join(f"{key}={value}" for key, value in settings.items())
