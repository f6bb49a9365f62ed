"""Build the parts of a training from its configuration, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lightning.pytorch import Callback
from omegaconf import DictConfig, open_dict

from unet_exp.configuration.objects import build, to_plain_data
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.callbacks import build_callbacks, require_distinct
from unet_exp.runs.planned import require_one_end, settle_frequencies, settle_plan
from unet_exp.secrets.masking import masked
from unet_exp.training.assembly import build_loaders, build_metrics, build_parts
from unet_exp.training.ema import WeightEMA
from unet_exp.training.gallery import Gallery
from unet_exp.training.loaders import Loaders
from unet_exp.training.metrics_writer import MetricsWriter
from unet_exp.training.module import SegmentationModule
from unet_exp.training.progress import ProgressBar
from unet_exp.training.saving import checkpoints

#: Scores that ``monitor.metric=auto`` tries in this order.
PREFERRED = ("seg", "v_rand", "v_info", "iou", "dice", "pixel_error")
PREFERRED_BY_CLASS = ("iou", "dice", "pixel_error")


@dataclass(frozen=True)
class PreparedTraining:
    """The parts of a training, except the loggers and the Trainer."""

    config: dict[str, Any]
    """The resolved configuration as plain data, without secrets."""
    monitor: str
    """The score that chooses the best checkpoint, such as ``val/seg``."""
    mode: str
    """Whether larger (``max``) or smaller (``min``) values of the score are better."""
    why: str
    """Why ``auto`` did not choose its first score; empty if it did."""
    loaders: Loaders
    module: SegmentationModule
    metrics: MetricsWriter
    gallery: Gallery
    callbacks: list[Callback]
    own: list[Callback]
    """The callbacks that the configuration adds."""
    plan: list[str]
    """Lines with the values that were planned from the data, and the reasons."""
    notes: dict[str, str] = field(default_factory=dict)
    """Notes on the start of the training, such as its initial weights: lines by name."""


def prepare(cfg: DictConfig, dataset: Any, folder: RunFolder) -> PreparedTraining:
    """Build the parts that ``cfg`` names, for a data set; write the settled values into ``cfg``.

    Raises ValueError if parts of the configuration do not fit each other, or if a value is out of
    range.
    """
    leave_out_null(cfg)
    require_one_end(cfg)
    planned = settle_plan(cfg, dataset)
    settle_frequencies(cfg, dataset)
    cfg.trainer.budget = None  # max_steps is settled
    scores = build_metrics(cfg)
    why = settle_monitor(cfg, scores, by_class(dataset))
    own = build_callbacks(cfg, scores)
    network = build(cfg.model)
    loaders = build_loaders(cfg, dataset, network)
    if cfg.loader.get("tile") is None:
        cfg.loader.tile = loaders.training_tile()
    config = masked(to_plain_data(cfg))
    monitor, mode = f"val/{cfg.monitor.metric}", cfg.monitor.mode
    module = SegmentationModule(
        network,
        **build_parts(cfg),
        optimizer=build(cfg.optimizer),
        scheduler=build(cfg.scheduler),
        monitor=monitor,
        config=config,
        seed=cfg.seed,
    )
    metrics = MetricsWriter(folder)
    gallery = Gallery(folder.pictures, metrics, **cfg.pictures)
    callbacks = [
        *([WeightEMA(cfg.ema_decay)] if cfg.ema_decay else []),
        ProgressBar(monitor, folder),
        metrics,  # before the checkpoint, so that each checkpoint has a row
        *checkpoints(folder, monitor, mode),
        gallery,
    ]
    require_distinct(own, callbacks)
    callbacks += own
    return PreparedTraining(
        config, monitor, mode, why, loaders, module, metrics, gallery, callbacks, own, planned
    )


def leave_out_null(cfg: DictConfig) -> None:
    """Remove the entries of a group that an override has set to null (``metric.iou=null``)."""
    for group in ("metric", "callbacks"):
        node = cfg.get(group) or DictConfig({})
        for name in [name for name, part in node.items() if part is None]:
            with open_dict(node):
                del node[name]


def settle_monitor(cfg: DictConfig, metrics: Mapping[str, Any], by_class: bool) -> str:
    """Write the score that chooses the best checkpoint, and its direction, into ``cfg.monitor``.

    Return why ``auto`` did not choose its first score; an empty text if it did, or if the score was
    given.

    Raises ValueError if the score is not among the metrics, or if its direction is wrong.
    """
    monitor, why = cfg.monitor, ""
    monitor.metric = monitor.metric.removeprefix("val/")  # as the record names it
    if monitor.metric == "auto":
        names = PREFERRED_BY_CLASS if by_class else PREFERRED
        found = next((name for name in names if name in metrics), None)
        if found is None:
            raise ValueError(
                f"monitor.metric=auto takes the first of {', '.join(names)}, and none of them is "
                f"measured. Give monitor.metric={' or '.join([*metrics, 'loss'])}."
            )
        why = "" if found == names[0] else f"{names[0]} is not measured"
        monitor.metric = found
    if monitor.metric != "loss" and monitor.metric not in metrics:
        raise ValueError(
            f"monitor.metric={monitor.metric} is not measured. Take one of "
            f"{', '.join([*metrics, 'loss'])}, or add it to metric=[...]."
        )
    higher = monitor.metric != "loss" and metrics[monitor.metric].higher_is_better
    better = "max" if higher else "min"
    if monitor.mode == "auto":
        monitor.mode = better
    elif monitor.mode != better:
        raise ValueError(
            f"monitor.mode={monitor.mode}, but the best {monitor.metric} is its {better}. Take "
            f"monitor.mode={better}, or auto."
        )
    return why


def by_class(dataset: Any) -> bool:
    """Whether the labels are classes, so that there are no instances to score."""
    samples = dataset.split("train")
    return len(samples) > 0 and samples[0].classes is not None
