"""Score whole images, one by one and all together."""

import math
import sys
from dataclasses import dataclass
from typing import Any

from torchmetrics import MetricCollection

from unet_exp.inference.predictor import Prediction, Predictor
from unet_exp.metrics.curves import PrecisionRecall, ThresholdCurve
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.pixel_curve import PixelCurve
from unet_exp.metrics.threshold_sweep import ThresholdSweep
from unet_exp.runs.failures import is_about_memory, out_of_memory
from unet_exp.screen import Console


@dataclass(frozen=True)
class Evaluation:
    """The scores of the images of a split.

    Attributes
    ----------
    rows
        For each image its name, its scores, and their details as ``score/detail``.
    scores, details
        Those of all images together.
    curves
        Scores at several thresholds, where a score has them.
    pixels
        Precision and recall of the foreground's known pixels.
    higher_is_better
        For each score.
    """

    rows: list[dict[str, Any]]
    scores: dict[str, float]
    details: dict[str, dict[str, float]]
    curves: dict[str, ThresholdCurve]
    pixels: PrecisionRecall
    higher_is_better: dict[str, bool]

    def ranked(self, score: str) -> list[int]:
        """Return the indices of the images that have a score, from worst to best.

        >>> rows = [{"seg": 0.9}, {"seg": math.nan}, {"seg": 0.2}]
        >>> Evaluation(rows, {}, {}, {}, None, {"seg": True}).ranked("seg")
        [2, 0]
        """
        sign = 1 if self.higher_is_better.get(score, True) else -1
        scored = [i for i, row in enumerate(self.rows) if math.isfinite(row.get(score, math.nan))]
        return sorted(scored, key=lambda i: sign * self.rows[i][score])


def score_images(predictor: Predictor, metrics: MetricCollection, loader: Any) -> Evaluation:
    """Score every image of a loader; memory does not grow with their number."""
    from rich.progress import track

    overall, single = metrics.clone(), metrics.clone()
    pixels = PixelCurve()
    rows: list[dict[str, Any]] = []
    hidden = not sys.stdout.isatty()
    for batch in track(
        loader, description="images", console=Console(), transient=True, disable=hidden
    ):
        prediction = predict_image(predictor, batch)
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
        rows.append({"name": batch["name"], **scores(single), **flat})
    return Evaluation(
        rows,
        scores(overall),
        details(overall),
        curves(overall),
        pixels.compute(),
        {name: bool(measure.higher_is_better) for name, measure in overall.items()},
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
    """Return the further numbers of the metrics that have some."""
    ours = {name: m.details() for name, m in metrics.items() if isinstance(m, Measure)}
    return {name: found for name, found in ours.items() if found}


def curves(metrics: MetricCollection) -> dict[str, ThresholdCurve]:
    """Return the curves of the metrics that use several thresholds."""
    return {
        name: sweep.threshold_curve()
        for name, sweep in metrics.items()
        if isinstance(sweep, ThresholdSweep) and sweep.thresholds
    }
