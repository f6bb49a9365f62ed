"""What an evaluation leaves in its folder: evaluation.json, per_image.csv and pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.csv_tables import to_csv
from unet_exp.evaluation.scoring import Evaluation
from unet_exp.evaluation.statistics import statistics
from unet_exp.inference.predictor import Predictor
from unet_exp.numbers import format_score
from unet_exp.pictures import precision_recall, threshold_curves


def write_results(evaluation: Evaluation, facts: dict[str, Any], folder: Path) -> list[Path]:
    """Write all numbers; ``facts`` say of what they are."""
    from unet_exp.files import to_json, write_atomically
    from unet_exp.runs.summary import environment

    content = {**facts, **numbers(evaluation), **environment()}
    table, record = folder / "per_image.csv", folder / "evaluation.json"
    write_atomically(table, to_csv(evaluation.rows))
    write_atomically(record, to_json(content))
    return [record, table]


def numbers(evaluation: Evaluation) -> dict[str, Any]:
    """Return the numbers of an evaluation as plain data, those of single images aside."""
    pixels = evaluation.pixels
    return {
        "images": len(evaluation.rows),
        "scores": evaluation.scores,
        "details": evaluation.details,
        "per_image": {
            name: statistics([row[name] for row in evaluation.rows]) for name in evaluation.scores
        },
        "curves": {name: plain(curve) for name, curve in evaluation.curves.items()},
        "precision_recall": {"average_precision": pixels.average_precision(), **plain(pixels)},
    }


def plain(curve: Any) -> dict[str, Any]:
    """Return a named tuple's arrays as lists, without its other fields."""
    arrays = {k: v for k, v in curve._asdict().items() if isinstance(v, np.ndarray)}
    return {name: array.tolist() for name, array in arrays.items()}


def draw_results(
    evaluation: Evaluation,
    predictor: Predictor,
    images: Any,
    score: str,
    count: int,
    folder: Path,
    title: str,
) -> list[Path]:
    """Draw the curves, and of ``images`` the ``count`` worst and the ``count`` best by a score."""
    from unet_exp.training.gallery import draw

    paths = [folder / "precision_recall.png"]
    precision_recall(evaluation.pixels, paths[0], f"{title}: foreground pixels")
    if evaluation.curves:
        paths.append(folder / "threshold_curves.png")
        threshold_curves(evaluation.curves, paths[-1], f"{title}: scores by threshold")
    for role, place in extremes(evaluation.ranked(score), count):
        row, image = evaluation.rows[place], images[place]
        paths.append(folder / f"{role}_{row['name'].replace('/', '_')}.png")
        head = f"{role.replace('_', ' ')}: {row['name']}, {score} {format_score(row[score])}"
        draw(predictor.predict(image["image"]), image, paths[-1], head)
    return paths


def extremes(ranked: list[int], count: int) -> list[tuple[str, int]]:
    """Name the first and the last of a ranking, none of them twice.

    >>> extremes([7, 4, 9], 2)
    [('worst_1', 7), ('worst_2', 4), ('best_1', 9)]
    """
    worst = ranked[:count]
    best = [place for place in ranked[::-1][:count] if place not in worst]
    return [
        *((f"worst_{number}", place) for number, place in enumerate(worst, 1)),
        *((f"best_{number}", place) for number, place in enumerate(best, 1)),
    ]
