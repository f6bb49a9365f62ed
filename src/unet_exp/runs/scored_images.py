"""Write the files of scored images: evaluation.json, tables and pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.inference.predictor import Predictor
from unet_exp.numbers import format_score
from unet_exp.pictures.precision_recall import precision_recall
from unet_exp.pictures.threshold_curves import threshold_curves
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.statistics import statistics
from unet_exp.runs.scoring import Evaluation
from unet_exp.runs.summary import environment
from unet_exp.training.gallery import draw


def write_results(
    evaluation: Evaluation, facts: dict[str, Any], folder: EvaluationFolder
) -> list[Path]:
    """Write all numbers, with ``facts`` about the evaluation, and replace earlier ones."""
    folder.write_rows(folder.images, evaluation.rows)
    folder.write_record({**facts, **as_dict(evaluation), **environment()})
    written = [folder.record, folder.images]
    folder.objects.unlink(missing_ok=True)
    if evaluation.objects:
        rows = [
            {"image": image, "kind": kind, "pixels": pixels}
            for image, sizes in evaluation.objects.sizes
            for kind, found in sizes.items()
            for pixels in found
        ]
        folder.write_rows(folder.objects, rows)
        written.append(folder.objects)
    return written


def as_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return the numbers of an evaluation, except those of single images, as plain data."""
    pixels = evaluation.pixels
    return {
        "images": len(evaluation.rows),
        "scores": evaluation.scores,
        "details": evaluation.details,
        "per_image": {
            name: statistics([row[name] for row in evaluation.rows]) for name in evaluation.scores
        },
        "curves": {name: arrays(curve) for name, curve in evaluation.curves.items()},
        "precision_recall": {"average_precision": pixels.average_precision(), **arrays(pixels)},
        "objects": evaluation.objects.as_dict() if evaluation.objects else None,
        "higher_is_better": evaluation.higher_is_better,
    }


def arrays(curve: Any) -> dict[str, list[float]]:
    """Return the arrays of a named tuple as lists."""
    fields = curve._asdict().items()
    return {name: value.tolist() for name, value in fields if isinstance(value, np.ndarray)}


def draw_curves(evaluation: Evaluation, folder: Path, title: str) -> list[Path]:
    """Draw the precision-recall curve, and the scores that were computed at several thresholds."""
    paths = [folder / "precision_recall.png"]
    precision_recall(evaluation.pixels, paths[0], f"{title}: foreground pixels")
    if evaluation.curves:
        paths.append(folder / "threshold_curves.png")
        threshold_curves(evaluation.curves, paths[-1], f"{title}: scores by threshold")
    return paths


def draw_images(
    evaluation: Evaluation, predictor: Predictor, images: Any, score: str, count: int, folder: Path
) -> list[Path]:
    """Draw the ``count`` worst and best of ``images`` by a score, in place of earlier ones."""
    for path in folder.glob("*_[0-9]*_*.png"):
        if path.name.startswith(("worst_", "best_")):
            path.unlink()
    paths = []
    for role, index in worst_and_best(evaluation.ranked(score), count):
        row, image = evaluation.rows[index], images[index]
        paths.append(folder / f"{role}_{row['name'].replace('/', '_')}.png")
        head = f"{role.replace('_', ' ')}: {row['name']}, {score} {format_score(row[score])}"
        prediction = evaluation.kept.get(index) or predictor.predict(image["image"])
        draw(prediction, image, paths[-1], head)
    return paths


def worst_and_best(ranked: list[int], count: int) -> list[tuple[str, int]]:
    """Name the first and the last entries of a ranking, each once.

    >>> worst_and_best([7, 4, 9], 2)
    [('worst_1', 7), ('worst_2', 4), ('best_1', 9)]
    """
    middle = (len(ranked) + 1) // 2
    worst, best = ranked[:middle][:count], ranked[middle:][::-1][:count]
    return [
        *((f"worst_{number}", index) for number, index in enumerate(worst, 1)),
        *((f"best_{number}", index) for number, index in enumerate(best, 1)),
    ]
