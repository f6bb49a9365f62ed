"""Score the validation images with the best checkpoint when a training has ended."""

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from omegaconf import DictConfig
from torchmetrics import MetricCollection

from unet_exp.configuration.errors import explain
from unet_exp.configuration.objects import build
from unet_exp.inference.predictor import Predictor
from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.scored_images import draw_images, write_results
from unet_exp.runs.scoring import score_images
from unet_exp.training.assembly import build_metrics
from unet_exp.training.trained import build_network
from unet_exp.training.tuned_postprocessing import TunedPostprocessing

log = logging.getLogger(__name__)
trace = logging.getLogger("unet_exp.trace")


def score_validation(
    cfg: DictConfig,
    images: Sequence[dict[str, Any]],
    folder: RunFolder,
    device: torch.device,
    tuned: TunedPostprocessing | None,
    watch: Callable[[], object] = lambda: None,
) -> None:
    """Write scores, curves, objects and pictures of validation images to the run's folder.

    If this fails, the error is logged, and the training stays valid.

    Parameters
    ----------
    tuned
        The fitted postprocessing, if any.
    watch
        Function that is called before each image. To stop, it raises an error that is not a
        subclass of Exception, such as Preempted.
    """
    best, metrics = folder.checkpoint(), MetricCollection(build_metrics(cfg), compute_groups=False)
    if best is None or not len(images) or not metrics:
        return

    def watched() -> Iterator[dict[str, Any]]:
        for index in range(len(images)):
            watch()
            yield images[index]

    try:
        network: Any = build_network(best, cfg).to(device)
        postprocessing = tuned.tuning.postprocessing if tuned else build(cfg.postprocessing)
        predictor = Predictor([network], build(cfg.target), build(cfg.inference), postprocessing)
        evaluation = score_images(predictor, metrics, watched())
        target, name = EvaluationFolder(folder.validation), str(cfg.name)
        facts = {"checkpoint": [str(best)], "dataset": name, "split": "validation"}
        write_results(evaluation, facts, target)
        measured = [str(one) for one in metrics]
        score = cfg.monitor.metric if cfg.monitor.metric in measured else measured[0]
        count = cfg.pictures.images
        draw_images(evaluation, predictor, images, score, count, target.pictures)
    except Exception as error:
        trace.error("".join(traceback.format_exception(error)))
        log.warning("The validation images could not be scored for the report: %s", explain(error))
