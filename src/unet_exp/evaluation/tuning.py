"""Tune the postprocessing on the images that are scored, and report what that gained."""

import inspect
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from hydra.core.hydra_config import HydraConfig
from torch import Tensor
from torchmetrics import MetricCollection

from unet_exp.configuration.overrides import key_of
from unet_exp.configuration.tree import is_under
from unet_exp.inference.predictor import Predictor
from unet_exp.inference.tuning import Tunable, Tuning, tune
from unet_exp.numbers import format_score
from unet_exp.screen import Console

log = logging.getLogger(__name__)

#: Bytes of probabilities that are kept in single precision; more are kept in half precision.
EXACT = 2**31


@dataclass(frozen=True)
class TunedPostprocessing:
    """A tuning, the score that it improves, and the number of images."""

    score: str
    higher_is_better: bool
    images: int
    tuning: Tuning

    @property
    def overrides(self) -> list[str]:
        """The overrides that give another call the chosen parameters."""
        task = HydraConfig.get().overrides.task
        given = [text for text in task if is_under(key_of(text), ["postprocessing"])]
        return overrides(given, self.tuning.chosen)

    def as_dict(self) -> dict[str, Any]:
        """Return all results as plain data."""
        values = asdict(self.tuning)
        del values["postprocessing"]
        return {"measure": self.score, **values, "overrides": self.overrides}

    def report(self) -> list[str]:
        """Return lines that say what was chosen, what it gained, and how to use it."""
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
            f"  to use it: {' '.join(self.overrides)}",
        ]


def overrides(given: Iterable[str], chosen: dict[str, Any]) -> list[str]:
    """Combine the given overrides of postprocessing with the chosen parameters.

    >>> overrides(["++postprocessing.threshold=0.3"], {"threshold": 0.4, "min_size": 9})
    ['postprocessing.threshold=0.4', 'postprocessing.min_size=9']
    >>> overrides(["postprocessing=watershed"], {"threshold": 0.4})
    ['postprocessing=watershed', 'postprocessing.threshold=0.4']
    """
    new = {f"postprocessing.{name}": value for name, value in chosen.items()}
    kept = [text.lstrip("+") for text in given if key_of(text) not in new]
    return [*kept, *(f"{key}={value}" for key, value in new.items())]


def tune_postprocessing(
    predictor: Predictor, metrics: MetricCollection, loader: Any, score: str
) -> TunedPostprocessing:
    """Tune the postprocessing on all images of a loader.

    The tuning goes by ``score`` if that depends on instances and labels alone, else by SEG, else
    by the first such score. ValueError says that there is none, or no parameter to tune.
    """
    name, postprocessing = score_of_instances(metrics, score), predictor.postprocessing
    cases = list(predict_all(predictor, loader))
    tunable = isinstance(postprocessing, Tunable)
    if not tunable or not postprocessing.grid([labels for _, labels in cases]):
        raise ValueError(
            "This postprocessing has no parameter to fit. Choose one that has: "
            "postprocessing=watershed, or components."
        )
    log.info("fitting the postprocessing to %d images by %s", len(cases), name)
    with Console().status("fitting the postprocessing") as status:
        tuning = tune(
            postprocessing,
            cases,
            metrics[name],
            lambda tried: status.update(f"fitting the postprocessing: {tried} settings tried"),
        )
    return TunedPostprocessing(name, bool(metrics[name].higher_is_better), len(cases), tuning)


def score_of_instances(metrics: MetricCollection, score: str) -> str:
    """Return the name of the score to tune by."""
    for name in dict.fromkeys([score, "seg", *map(str, metrics)]):
        if name in metrics:
            arguments = inspect.signature(metrics[name].update).parameters
            if set(arguments) == {"instances", "labels"}:
                return name
    raise ValueError(
        f"None of {', '.join(map(str, metrics))} is a score of instances, so the postprocessing "
        "cannot be fitted. Add one: metric=[seg]."
    )


def predict_all(predictor: Predictor, loader: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the probabilities and the labels of each image."""
    kept = 0
    for batch in loader:
        probabilities = predictor.probabilities(batch["image"])
        kept += probabilities.nbytes
        yield (probabilities if kept <= EXACT else probabilities.half()), batch["labels"]
