"""Sections of a page on an evaluation of images: pictures, objects, curves and single images."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unet_exp.numbers import format_score, format_short, parse_number
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.sweep import number
from unet_exp.reports.chart import Axis, Chart, Series, words
from unet_exp.reports.curves import rounded
from unet_exp.reports.thumbnails import own_pictures, shown_picture

#: Kinds of objects: the name of the kind, its meaning, and its colour in charts.
KINDS = {
    "found": ("found", "matched at an IoU of 0.5 or more", 2),
    "missed": ("missed", "nothing was predicted there", 1),
    "merged": ("merged", "predicted as one with a neighbour", 4),
    "split": ("split", "predicted in several parts", 3),
    "outline": ("inexact", "predicted with another size or place", 5),
    "false": ("false", "predicted where there is none", 0),
}
#: Largest number of images that are all listed; with more, the number of worst and of best images.
MOST_IMAGES, LISTED = 60, 20
#: Number of bins in a histogram of sizes.
BINS = 14
#: Largest number of scores in the table of images.
COLUMNS = 8


def scored_images(folder: EvaluationFolder, criterion: str) -> dict[str, Any] | None:
    """Return the content of the sections on scored images; None if nothing was recorded.

    ``criterion`` is the name of the score that sorts the images.
    """
    record = folder.read_record()
    images = folder.read_images()
    if not record or not images:
        return None
    names = [
        name for name in mapping(record.get("scores")) if any(name in row for _, row in images)
    ]
    higher = mapping(record.get("higher_is_better")).get(criterion, True) is not False
    ranked = sorted(
        (image for image in images if criterion in image[1]),
        key=lambda image: image[1][criterion],
        reverse=not higher,
    )
    kinds = object_kinds(mapping(mapping(record.get("objects")).get("kinds")))
    chosen = [criterion, *(name for name in names if name != criterion)][:COLUMNS]
    counted = [name for name in ("found", "missed", "false") if kinds]
    shown = ranked or images
    note = f"From worst to best by {words(criterion)}." if ranked else ""
    if len(shown) > MOST_IMAGES:
        shown = [*shown[:LISTED], *shown[-LISTED:]]
        note = f"The {LISTED} worst and best of {len(images)} by {words(criterion)}."
    return {
        "criterion": words(criterion),
        "pictures": pictures(folder, dict(images), criterion),
        "kinds": kinds,
        "kinds_told": objects_told(kinds),
        "object_charts": [*average_precision(record), *sizes(folder.read_sizes())],
        "pixel_charts": [*precision_recall(record), *thresholds(record)],
        "columns": [*map(words, chosen), *counted],
        "images": [
            (
                name,
                [
                    *(format_score(row.get(key)) for key in chosen),
                    *(format_short(row.get(f"objects/{kind}")) for kind in counted),
                ],
            )
            for name, row in shown
        ],
        "images_told": note,
    }


def pictures(
    folder: EvaluationFolder, images: Mapping[str, Mapping[str, float]], criterion: str
) -> list[dict[str, Any]]:
    """Return the pictures of the worst and the best images, with their scores and objects."""
    by_file = {name.replace("/", "_"): name for name in images}
    found = []
    for role in ("worst", "best"):
        for path in own_pictures(folder.pictures, f"{role}_*_*.png")[:4]:
            _, number, stem = path.stem.split("_", 2)
            name = by_file.get(stem, stem)
            row = images.get(name, {})
            note = f"{words(criterion)} {format_score(row.get(criterion))}"
            if counts := counted_objects(row):
                note += f"; {counts}"
            title = f"{role} {number}: {name}"
            text = f"Image, labels, prediction and errors of {name}. {note}"
            if image := shown_picture(path, title, note, text):
                found.append(image)
    return found


def counted_objects(row: Mapping[str, float]) -> str:
    """Return the number of objects of each kind in one image, in words.

    >>> counted_objects({"objects/found": 3, "objects/missed": 1, "objects/false": 0})
    '3 of 4 objects found, 1 missed'
    """
    counts = {kind: int(row[f"objects/{kind}"]) for kind in KINDS if f"objects/{kind}" in row}
    if not counts:
        return ""
    true = sum(count for kind, count in counts.items() if kind != "false")
    told = [f"{counts.get('found', 0)} of {true} object{'s' * (true != 1)} found"]
    told += [
        f"{count} {KINDS[kind][0]}" for kind, count in counts.items() if count and kind != "found"
    ]
    return ", ".join(told)


def object_kinds(counts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the number of objects of each kind, with its meaning."""
    return [
        {"kind": kind, "count": int(count), "name": name, "meaning": meaning}
        for kind, (name, meaning, _) in KINDS.items()
        if (count := number(counts.get(kind))) is not None
    ]


def objects_told(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence with the number of objects that were found."""
    true = sum(kind["count"] for kind in kinds if kind["kind"] != "false")
    found = sum(kind["count"] for kind in kinds if kind["kind"] == "found")
    share = f" ({100 * found / true:.0f} %)" if true else ""
    return f"{found} of {true} labelled object{'s' * (true != 1)} found{share}."


def average_precision(record: Mapping[str, Any]) -> list[Chart]:
    """Return the chart of average precision over the IoU that a match needs."""
    levels = mapping(mapping(record.get("objects")).get("average_precision"))
    points = sorted(
        (level / 100, value)
        for name, given in levels.items()
        if (level := parse_number(name.removeprefix("ap_"))) is not None
        and (value := number(given)) is not None
    )
    if not points:
        return []
    mean = sum(value for _, value in points) / len(points)
    return [
        Chart(
            "Average precision over IoU",
            Axis("IoU that counts as a match", (0.48, 0.97)),
            Axis("average precision", (0, 1)),
            [Series("", [x for x, _ in points], [y for _, y in points])],
            note=f"mean {format_score(mean)}",
        )
    ]


def sizes(found: Mapping[str, Sequence[float]]) -> list[Chart]:
    """Return a histogram of the sizes of labelled objects, by kind."""
    kinds = [kind for kind in KINDS if kind != "false" and found.get(kind)]
    values = [size for kind in kinds for size in found[kind]]
    if not values:
        return []
    low, high = math.log(min(values)), math.log(max(values) * 1.0001)
    width = max((high - low) / BINS, 0.1)
    edges = [math.exp(low + width * n) for n in range(math.ceil((high - low) / width) + 1)]
    series = []
    for kind in kinds:
        counts = [0] * (len(edges) - 1)
        for size in found[kind]:
            counts[min(int((math.log(size) - low) / width), len(counts) - 1)] += 1
        name, _, colour = KINDS[kind]
        lows = [round(edge, 1) for edge in edges[:-1]]
        highs = [round(edge, 1) for edge in edges[1:]]
        series.append(Series(name, lows, counts, "bars", highs, colour))
    return [
        Chart(
            "Sizes of objects",
            Axis("pixels of a labelled object", (edges[0], edges[-1]), "log"),
            Axis("objects"),
            series,
        )
    ]


def precision_recall(record: Mapping[str, Any]) -> list[Chart]:
    """Return precision over recall of the foreground's pixels, and both over the threshold."""
    curve = mapping(record.get("precision_recall"))
    levels, precision, recall = (
        numbers(curve.get(name)) for name in ("thresholds", "precision", "recall")
    )
    if not levels or not len(levels) == len(precision) == len(recall):
        return []
    f1 = [
        2 * p * r / (p + r) if p is not None and r is not None and p + r > 0 else None
        for p, r in zip(precision, recall, strict=True)
    ]
    best = max((value, -index) for index, value in enumerate([v or 0 for v in f1]))
    at, top = levels[-best[1]], best[0]
    rules = {f"best F1 {format_score(top)}": at} if at is not None else {}
    area = number(curve.get("average_precision"))
    note = f"area {format_score(area)}" if area is not None else ""
    return [
        Chart(
            "Pixels by threshold",
            Axis("threshold", (0, 1)),
            Axis("share", (0, 1)),
            [
                Series("precision", levels, precision, colour=0),
                Series("recall", levels, recall, colour=1),
                Series("F1 (Dice)", levels, f1, colour=2),
            ],
            rules,
        ),
        Chart(
            "Precision over recall of pixels",
            Axis("recall", (0, 1)),
            Axis("precision", (0, 1)),
            [Series("", recall, precision)],
            note=note,
        ),
    ]


def thresholds(record: Mapping[str, Any]) -> list[Chart]:
    """Return a chart for each score that was computed at several thresholds."""
    charts = []
    for name, curve in mapping(record.get("curves")).items():
        levels = numbers(mapping(curve).get("thresholds"))
        series = [
            Series(label, levels, values, colour=colour)
            for colour, (key, label) in enumerate(
                {"values": words(name), "split": "splits", "merge": "mergers"}.items()
            )
            if len(values := numbers(mapping(curve).get(key))) == len(levels) > 1
        ]
        if series:
            title = f"{words(name)} by threshold"
            charts.append(Chart(title, Axis("threshold", (0, 1)), Axis(words(name)), series))
    return charts


def numbers(values: Any) -> list[float | None]:
    """Return a list of numbers from a record; None replaces entries that are no finite number."""
    return [rounded(number(value)) for value in listed(values)[:1000]]


def listed(value: Any) -> list[Any]:
    """Return a list from a record; an empty one for anything else."""
    return value if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a dictionary from a record; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def names_of(*paths: Path) -> list[str]:
    """Return the names of those files and folders that exist."""
    return [path.name for path in paths if path.exists()]
