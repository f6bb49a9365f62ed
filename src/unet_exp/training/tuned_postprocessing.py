"""Tune the postprocessing of a predictor on labelled images, and report the gain."""

import inspect
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor
from torchmetrics import Metric

from unet_exp.inference.predictor import Predictor
from unet_exp.inference.stored_cases import StoredCases
from unet_exp.inference.tuning import Tunable, Tuning, tune
from unet_exp.metrics.average_precision import AveragePrecision
from unet_exp.metrics.panoptic_quality import PanopticQuality
from unet_exp.numbers import format_score
from unet_exp.screen import Console

log = logging.getLogger(__name__)

#: Default score for the tuning. False, missed, merged and split objects lower it, and inexact
#: outlines in proportion. SEG ignores false objects. At a high IoU, average precision counts two
#: found objects with inexact outlines as two false objects, but a merged pair as one.
CRITERION = "panoptic_quality"
#: Data that a score of instances may use.
OF_INSTANCES = {"instances", "labels", "markers"}


@dataclass(frozen=True)
class Gain:
    """A score of all images with the given parameters, and with fitted ones.

    Attributes
    ----------
    unfitted
        With the given parameters.
    fitted
        With the parameters that were fitted to the same images.
    left_out
        Each image with the parameters that were fitted to the others. NaN for a single image.
    """

    unfitted: float
    fitted: float
    left_out: float


@dataclass(frozen=True)
class TunedPostprocessing:
    """A tuning, the score that it improves, and the gain of each score of instances.

    Attributes
    ----------
    score
        The name of the score that the parameters were fitted to.
    gains
        Gain by score of instances, including ``score``.
    """

    score: str
    higher_is_better: bool
    images: int
    tuning: Tuning
    gains: dict[str, Gain]

    def as_dict(self) -> dict[str, Any]:
        """Return the chosen values, and the gain of each score, as plain data."""
        return {
            "values": self.tuning.chosen,
            "criterion": self.score,
            "images": self.images,
            "scores": {name: asdict(gain) for name, gain in self.gains.items()},
        }

    def report(self) -> list[str]:
        """Return lines of text with the chosen values and their gain."""
        found, score = self.tuning, self.score
        before, after, held_out = map(format_score, (found.before, found.after, found.held_out))
        head = f"postprocessing fitted to {self.images} images, {found.tried} settings tried"
        if not found.chosen:
            return [f"{head}: none has a better {score} than the present {before}"]
        gain = (found.held_out - found.before) * (1 if self.higher_is_better else -1)
        caution = "" if gain > 0 else ", so new images may gain nothing"
        return [
            f"{head}: {' '.join(f'{key}={value}' for key, value in found.chosen.items())}",
            f"  {score} on these images: {before} -> {after}",
            f"  {score} with each left out of its own fit: {held_out}{caution}",
        ]


def tune_postprocessing(
    predictor: Predictor,
    metrics: Mapping[str, Metric],
    images: Iterable[Mapping[str, Any]],
    score: str,
    held: Collection[str] = (),
    watch: Callable[[], object] = lambda: None,
) -> TunedPostprocessing:
    """Tune the postprocessing of a predictor on labelled images.

    Parameters
    ----------
    images
        As the loaders give them, with ``image``, ``labels`` and ``markers``.
    score
        The score to tune by, one of :func:`measures_of_instances`.
    held
        Parameters that keep their value.
    watch
        Function that is called often during the tuning. If it raises an error, the tuning ends.

    Raises ValueError if the postprocessing has no parameter to fit.
    """
    with StoredCases() as cases:
        markers = []
        for image in images:
            watch()
            cases.append(predictor.evidence(image["image"]), image["labels"])
            markers.append(image["markers"])
        return tune_cases(
            predictor.postprocessing, cases, markers, measures_of_instances(metrics), score, held,
            watch,
        )  # fmt: skip


def tune_cases(
    postprocessing: Any,
    cases: StoredCases,
    markers: Sequence[Tensor],
    measures: Mapping[str, Metric],
    score: str,
    held: Collection[str],
    watch: Callable[[], object],
) -> TunedPostprocessing:
    """Tune a postprocessing on stored probabilities, as :func:`tune_postprocessing` does."""
    tunable = isinstance(postprocessing, Tunable)
    if not tunable or not set(postprocessing.grid(cases.labels)) - set(held):
        raise ValueError(
            "This postprocessing has no parameter to fit. Choose one that has: "
            "postprocessing=watershed, or components."
        )
    log.info("fitting the postprocessing to %d images by %s", len(cases), score)
    with Console().status("fitting the postprocessing") as status:

        def progress(tried: int) -> None:
            watch()
            status.update(f"fitting the postprocessing: {tried} settings tried")

        tuning = tune(postprocessing, cases, measures[score], progress, held)
        gains = measure_gains(tuning, postprocessing, cases, markers, measures)
    higher = bool(measures[score].higher_is_better)
    return TunedPostprocessing(score, higher, len(cases), tuning, gains)


def measures_of_instances(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """Return the metrics that depend on instances, with PQ and average precision, by name."""
    own = {str(k): v for k, v in metrics.items() if "instances" in needs(v) <= OF_INSTANCES}
    return {CRITERION: PanopticQuality(), "average_precision": AveragePrecision(), **own}


def needs(metric: Metric) -> set[str]:
    """Return the names of the arguments of a metric's update.

    >>> sorted(needs(AveragePrecision()))
    ['instances', 'labels']
    """
    return set(inspect.signature(metric.update).parameters)


def score_of_instances(metrics: Mapping[str, Metric], preferred: str | None) -> str:
    """Return the score to tune by: the preferred one if it needs only instances and labels."""
    if preferred is None or preferred not in metrics:
        return CRITERION
    return preferred if needs(metrics[preferred]) == {"instances", "labels"} else CRITERION


def measure_gains(
    tuning: Tuning,
    given: Tunable,
    cases: StoredCases,
    markers: Sequence[Tensor],
    measures: Mapping[str, Metric],
) -> dict[str, Gain]:
    """Return the gain of each score. Each image is segmented once for each setting."""
    kinds = {kind: {n: m.clone() for n, m in measures.items()} for kind in Gain.__annotations__}
    for index, (probabilities, labels) in enumerate(cases):
        settings = (given, tuning.postprocessing, tuning.left_out[index])
        instances = {one: one(probabilities) for one in dict.fromkeys(settings)}
        for kind, one in zip(kinds.values(), settings, strict=True):
            for measure in kind.values():
                known = {"instances": instances[one], "labels": labels, "markers": markers[index]}
                measure.update(**{name: known[name] for name in needs(measure)})
    return {
        name: Gain(**{kind: float(found[name].compute()) for kind, found in kinds.items()})
        for name in measures
    }
