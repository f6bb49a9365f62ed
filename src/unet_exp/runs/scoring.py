"""Score whole images, separately and together."""

import math
import sys
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torchmetrics import MetricCollection

from unet_exp.inference.predictor import Prediction, Predictor
from unet_exp.metrics.average_precision import AveragePrecision
from unet_exp.metrics.curves import PrecisionRecall, ThresholdCurve
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.object_errors import Errors, sizes_by_kind
from unet_exp.metrics.pixel_curve import PixelCurve
from unet_exp.metrics.threshold_sweep import ThresholdSweep
from unet_exp.runs.failures import is_about_memory, out_of_memory
from unet_exp.screen import Console

#: Largest number of values in the predictions that are kept (64 MiB).
MOST_KEPT = 2**24


@dataclass(frozen=True)
class Evaluation:
    """The scores of the images of a split.

    Attributes
    ----------
    rows
        One dictionary for each image: its name, its scores, and details as ``score/detail``.
    scores, details
        Scores and details of all images together.
    curves
        Values at several thresholds, for the scores that have them.
    pixels
        Precision and recall of the foreground, over pixels whose class is known.
    higher_is_better
        Whether larger values are better, by score.
    objects
        Numbers of found, missed, merged, split and false objects; None if the labels are classes.
    kept
        Predictions of the first images, so that they need not be computed again.
    """

    rows: list[dict[str, Any]]
    scores: dict[str, float]
    details: dict[str, dict[str, float]]
    curves: dict[str, ThresholdCurve]
    pixels: PrecisionRecall
    higher_is_better: dict[str, bool]
    objects: "Objects | None" = None
    kept: dict[int, Prediction] = field(default_factory=dict)

    def ranked(self, score: str) -> list[int]:
        """Return the indices of the images that have a score, from worst to best.

        >>> rows = [{"seg": 0.9}, {"seg": math.nan}, {"seg": 0.2}]
        >>> Evaluation(rows, {}, {}, {}, None, {"seg": True}).ranked("seg")
        [2, 0]
        """
        sign = 1 if self.higher_is_better.get(score, True) else -1
        scored = [i for i, row in enumerate(self.rows) if math.isfinite(row.get(score, math.nan))]
        return sorted(scored, key=lambda i: sign * self.rows[i][score])


class Objects:
    """Objects of all images by kind (such as missed), and their average precision by IoU."""

    def __init__(self) -> None:
        self.precision = AveragePrecision()
        #: For each image: its name, and the sizes of its objects in pixels, by kind.
        self.sizes: list[tuple[str, dict[str, list[int]]]] = []

    def update(self, name: str, instances: Tensor, labels: Tensor) -> dict[str, int]:
        """Add an image; return its number of objects of each kind."""
        self.precision.update(instances=instances, labels=labels)
        sizes = sizes_by_kind(instances, labels)
        self.sizes.append((name, sizes))
        return {f"objects/{kind}": len(found) for kind, found in sizes.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return average precision by level, and the number of objects of each kind."""
        kinds = dict.fromkeys(Errors._fields, 0)
        for _, sizes in self.sizes:
            for kind, found in sizes.items():
                kinds[kind] += len(found)
        return {"average_precision": self.precision.details(), "kinds": kinds}


def score_images(predictor: Predictor, metrics: MetricCollection, loader: Any) -> Evaluation:
    """Score every image of a loader. The memory does not grow with the number of images."""
    from rich.progress import track

    overall, single = metrics.clone(), metrics.clone()
    pixels, objects = PixelCurve(), Objects()
    rows: list[dict[str, Any]] = []
    hidden = not sys.stdout.isatty()
    kept: dict[int, Prediction] = {}
    room = MOST_KEPT
    for index, batch in enumerate(
        track(loader, description="images", console=Console(), transient=True, disable=hidden)
    ):
        prediction = predict_image(predictor, batch)
        room -= prediction.evidence.numel()
        if room >= 0:
            kept[index] = prediction
        single.reset()
        single.update(
            probabilities=prediction.probabilities,
            classes=batch["classes"],
            labels=batch["labels"],
            markers=batch["markers"],
            instances=prediction.instances,
        )
        for name, measure in single.items():
            overall[name].merge_state(measure)
        pixels.update(1 - prediction.probabilities[0].float(), batch["classes"])
        flat = {
            f"{k}/{name}": v for k, named in details(single).items() for name, v in named.items()
        }
        if not batch.get("by_class"):
            flat |= objects.update(batch["name"], prediction.instances, batch["labels"])
        rows.append({"name": batch["name"], **scores(single), **flat})
    return Evaluation(
        rows,
        scores(overall),
        details(overall),
        curves(overall),
        pixels.compute(),
        {name: bool(measure.higher_is_better) for name, measure in overall.items()},
        objects if objects.sizes else None,
        kept,
    )


def predict_image(predictor: Predictor, batch: Any) -> Prediction:
    """Segment an image.

    Raises ValueError, naming the image, if its probabilities are not finite or it does not fit into
    memory.
    """
    try:
        return predictor.predict(batch["image"])
    except ValueError as error:
        raise ValueError(f"{batch['name']}: {error}") from error
    except (MemoryError, RuntimeError) as error:
        if not is_about_memory(error):
            raise
        raise ValueError(f"{batch['name']}: {out_of_memory(error)}") from error


def scores(metrics: MetricCollection) -> dict[str, float]:
    """Return the value of each metric."""
    return {name: float(value) for name, value in metrics.compute().items()}


def details(metrics: MetricCollection) -> dict[str, dict[str, float]]:
    """Return the details of the metrics that have any."""
    ours = {name: m.details() for name, m in metrics.items() if isinstance(m, Measure)}
    return {name: found for name, found in ours.items() if found}


def curves(metrics: MetricCollection) -> dict[str, ThresholdCurve]:
    """Return the curves of the metrics that use several thresholds."""
    return {
        name: sweep.threshold_curve()
        for name, sweep in metrics.items()
        if isinstance(sweep, ThresholdSweep) and sweep.thresholds
    }
