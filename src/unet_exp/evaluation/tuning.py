"""Postprocessing fitted to the images that are scored: what was chosen, and what that gained."""

import inspect
import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from hydra.core.hydra_config import HydraConfig
from torch import Tensor
from torchmetrics import MetricCollection

from unet_exp.configuration.overrides import is_under, key_of
from unet_exp.inference.predictor import Predictor
from unet_exp.inference.tuning import Tunable, Tuning, tune
from unet_exp.numbers import format_score

log = logging.getLogger(__name__)

#: Bytes of probabilities that are kept in single precision; what is more, in half of it.
EXACT = 2**31


@dataclass(frozen=True)
class Fit:
    """A tuning, the measure that it was made by, and on how many images."""

    measure: str
    higher_is_better: bool
    images: int
    tuning: Tuning

    @property
    def overrides(self) -> list[str]:
        """The words that give another call the parameters that were chosen."""
        task = HydraConfig.get().overrides.task
        given = [word for word in task if is_under(key_of(word), ["postprocessing"])]
        return overrides(given, self.tuning.chosen)

    def plain(self) -> dict[str, Any]:
        """Return all that was found as plain data."""
        numbers = asdict(self.tuning)
        del numbers["postprocessing"]
        return {"measure": self.measure, **numbers, "overrides": self.overrides}

    def told(self) -> list[str]:
        """Say what was chosen, what it gained, and how to use it."""
        found, name = self.tuning, self.measure
        before, after = format_score(found.before), format_score(found.after)
        head = f"postprocessing fitted to {self.images} images, {found.tried} settings tried"
        if not found.chosen:
            return [f"{head}: none has a better {name} than the present {before}"]
        gain = (found.held_out - found.before) * (1 if self.higher_is_better else -1)
        carries = "" if gain > 0 else ", so new images may gain nothing"
        return [
            f"{head}: {' '.join(f'{key}={value}' for key, value in found.chosen.items())}",
            f"  {name} on these images: {before} -> {after}",
            f"  {name} with each left out of its own fit: {format_score(found.held_out)}{carries}",
            f"  to use it: {' '.join(self.overrides)}",
        ]


def overrides(given: Iterable[str], chosen: dict[str, Any]) -> list[str]:
    """Add chosen parameters to the overrides of postprocessing that were given.

    >>> overrides(["+postprocessing.threshold=0.3"], {"threshold": 0.4, "min_size": 9})
    ['+postprocessing.threshold=0.4', '+postprocessing.min_size=9']
    >>> overrides(["postprocessing=watershed"], {"threshold": 0.4})
    ['postprocessing=watershed', 'postprocessing.threshold=0.4']
    """
    new = {f"postprocessing.{name}": value for name, value in chosen.items()}
    kept = [word for word in given if key_of(word) not in new]
    # What a named option has needs no plus.
    plus = "" if "postprocessing" in map(key_of, kept) else "+"
    return [*kept, *(f"{plus}{name}={value}" for name, value in new.items())]


def fit(predictor: Predictor, metrics: MetricCollection, loader: Any, score: str) -> Fit:
    """Fit the postprocessing to all images of a loader by a score of instances.

    ``score`` counts if only instances and labels decide it, otherwise SEG, or the first such.

    Raises
    ------
    ValueError
        If there is no such score, or no parameter to fit.
    """
    from unet_exp.screen import Console

    name, postprocessing = score_of_instances(metrics, score), predictor.postprocessing
    cases = list(predicted(predictor, loader))
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
    return Fit(name, bool(metrics[name].higher_is_better), len(cases), tuning)


def score_of_instances(metrics: MetricCollection, score: str) -> str:
    """Name the score to fit by."""
    for name in dict.fromkeys([score, "seg", *map(str, metrics)]):
        if name in metrics:
            told = inspect.signature(metrics[name].update).parameters
            if set(told) == {"instances", "labels"}:
                return name
    raise ValueError(
        f"None of {', '.join(map(str, metrics))} is a score of instances, so the postprocessing "
        "cannot be fitted. Add one: metric=[seg]."
    )


def predicted(predictor: Predictor, loader: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the probabilities and the labels of each image."""
    kept = 0
    for batch in loader:
        probabilities = predictor.probabilities(batch["image"])
        kept += probabilities.nbytes
        yield (probabilities if kept <= EXACT else probabilities.half()), batch["labels"]
