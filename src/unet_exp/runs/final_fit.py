"""Fit the postprocessing to the validation images when a training has ended."""

import logging
import shlex
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import torch
from omegaconf import DictConfig

from unet_exp.configuration.errors import explain
from unet_exp.configuration.objects import build
from unet_exp.configuration.overrides import key_of
from unet_exp.inference.predictor import Predictor
from unet_exp.records.run_folder import RunFolder
from unet_exp.training.assembly import build_metrics
from unet_exp.training.fitted_values import store_fitted
from unet_exp.training.loaders import Loaders
from unet_exp.training.trained import build_network
from unet_exp.training.tuned_postprocessing import (
    TunedPostprocessing,
    score_of_instances,
    tune_postprocessing,
)

log = logging.getLogger(__name__)
trace = logging.getLogger("unet_exp.trace")

#: Largest number of pixels for the fit, as in 256 images of 512 x 512. A fit then takes minutes.
MOST_PIXELS = 2**26
PREFIX = "postprocessing."


def fit_postprocessing(
    cfg: DictConfig,
    loaders: Loaders,
    folder: RunFolder,
    device: torch.device,
    score: str | None = None,
    held: Collection[str] = (),
    watch: Callable[[], object] = lambda: None,
) -> TunedPostprocessing | None:
    """Fit the postprocessing of the best checkpoint, and write the result to both checkpoints.

    Without ``postprocessing.fit``, earlier fitted values are removed from both checkpoints. If the
    fit fails, the error is logged, and the training stays valid.

    Parameters
    ----------
    score, held, watch
        See :func:`unet_exp.training.tuned_postprocessing.tune_postprocessing`. If ``score`` is not
        a score of instances, the fit uses panoptic quality.
    """
    best = folder.checkpoint()
    if best is None:
        return None
    tuned = None
    try:
        if cfg.postprocessing.get("fit") is True:
            images = chosen_images(loaders, cfg.trainer.limit_val_batches)
            if why := obstacle(images):
                log.info("postprocessing not fitted: %s", why)
            else:
                network: Any = build_network(best, cfg).to(device)
                predictor = Predictor(
                    [network], build(cfg.target), build(cfg.inference), build(cfg.postprocessing)
                )
                metrics = build_metrics(cfg)
                score = score_of_instances(metrics, score)
                tuned = tune_postprocessing(predictor, metrics, images, score, held, watch)
        for path in (folder.best, folder.last):
            if path.is_file():
                store_fitted(path, tuned.as_dict() if tuned else None)
    except Exception as error:
        trace.error("".join(traceback.format_exception(error)))
        log.warning(
            "The postprocessing could not be fitted, and keeps the values of the run: %s",
            explain(error),
        )
        return None
    return tuned


def chosen_images(loaders: Loaders, limit: int | float) -> Sequence[dict[str, Any]]:
    """Return the validation images. If there are too many, return evenly spaced ones."""
    samples = loaders.labelled("validation")
    count = limit if isinstance(limit, int) else max(1, int(len(samples) * limit))
    images: Any = loaders.whole("validation", count).dataset
    pixels = sum(samples[index].image[0].size for index in range(len(images)))
    return Spaced(images, range(0, len(images), -(-pixels // MOST_PIXELS) or 1))


class Spaced(Sequence[dict[str, Any]]):
    """Some of the images of a data set, which are read on access."""

    def __init__(self, images: Any, chosen: range) -> None:
        self.images, self.chosen = images, chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: Any) -> Any:
        return self.images[self.chosen[index]]


def obstacle(images: Sequence[dict[str, Any]]) -> str:
    """Return why the postprocessing cannot be fitted to some images; empty if it can."""
    if len(images) < 2:
        return "it takes two or more validation images"
    if images[0]["by_class"]:
        return "the labels are classes, not instances"
    if not any(bool((image["labels"] > 0).any()) for image in images):
        return "the validation images hold no object"
    return ""


def given_values(command: str) -> Iterator[str]:
    """Yield the parameters of the postprocessing that a command gives. A fit keeps them.

    >>> list(given_values("python train.py +postprocessing.threshold=0.4 postprocessing=watershed"))
    ['threshold']
    """
    for word in shlex.split(command):
        if (key := key_of(word)).startswith(PREFIX):
            yield key.removeprefix(PREFIX)


def log_gains(loggers: Sequence[Any], tuned: TunedPostprocessing | None, step: int) -> None:
    """Log each score with fitted parameters, as ``fitted/NAME`` and ``left_out/NAME``."""
    gains = tuned.gains if tuned else {}
    scores = {f"fitted/{name}": gain.fitted for name, gain in gains.items()}
    scores |= {f"left_out/{name}": gain.left_out for name, gain in gains.items()}
    for logger in loggers if scores else ():
        logger.log_metrics(scores, step)
        logger.save()
