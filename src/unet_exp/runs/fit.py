"""One training, in this process: build what the configuration names, train it, keep its record."""

import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import Timeout
from lightning import seed_everything
from lightning.pytorch import Callback
from omegaconf import DictConfig, open_dict

from unet_exp.configuration.errors import Preempted
from unet_exp.configuration.hydra_files import to_yaml
from unet_exp.configuration.objects import build, to_plain_data
from unet_exp.files import locked, write_atomically
from unet_exp.numbers import format_score
from unet_exp.runs.callbacks import build_callbacks, ending, require_distinct
from unet_exp.runs.opening import announce
from unet_exp.runs.resume import run_id, starting_point
from unet_exp.runs.summary import summary
from unet_exp.screen import Console
from unet_exp.secrets.masking import masked
from unet_exp.training.assembly import build_dataset, build_loaders, build_metrics, build_module
from unet_exp.training.datamodule import DataModule
from unet_exp.training.ema import WeightEMA
from unet_exp.training.gallery import Gallery
from unet_exp.training.loaders import Loaders
from unet_exp.training.loggers import address, finish
from unet_exp.training.metrics_writer import MetricsWriter
from unet_exp.training.module import SegmentationModule
from unet_exp.training.progress import ProgressBar
from unet_exp.training.ranks import leave
from unet_exp.training.saving import checkpoints
from unet_exp.training.stopping import Stopping
from unet_exp.training.trainer import build_trainer
from unet_exp.training.waiting import DataWait

log = logging.getLogger(__name__)

#: Seconds that another process in the same folder may take to save itself.
PATIENCE = 60.0

#: Which score chooses the best checkpoint with ``monitor.metric=auto``: the first there is.
PREFERRED = ("seg", "v_rand", "v_info", "iou", "dice", "pixel_error")
PREFERRED_BY_CLASS = ("iou", "dice", "pixel_error")


@dataclass(frozen=True)
class Training:
    """All that a training needs but the loggers and the Trainer; nothing is written yet."""

    config: dict[str, Any]
    """The configuration resolved, as plain data, without secrets."""
    monitor: str
    """The score that chooses the best checkpoint, such as ``val/seg``."""
    mode: str
    """Whether more (``max``) or less (``min``) of it is better."""
    why: str
    """Why it is not the usual score, where nobody chose it."""
    loaders: Loaders
    module: SegmentationModule
    metrics: MetricsWriter
    gallery: Gallery
    callbacks: list[Callback]
    own: list[Callback]
    """Those of the callbacks that the configuration adds."""


def prepare(cfg: DictConfig, dataset: Any, folder: Path) -> Training:
    """Build what ``cfg`` names around a data set, and write into ``cfg`` what that settles.

    Raises
    ------
    ValueError
        If parts of the configuration do not fit each other, or a value is out of range.
    """
    leave_out_null(cfg)
    measures = build_metrics(cfg)
    why = settle_monitor(cfg, measures, by_class(dataset))
    own = build_callbacks(cfg, measures)
    config = masked(to_plain_data(cfg))
    network = build(cfg.model)
    loaders = build_loaders(cfg, dataset, network)
    monitor, mode = f"val/{cfg.monitor.metric}", cfg.monitor.mode
    module = build_module(
        cfg,
        network,
        optimizer=build(cfg.optimizer),
        scheduler=build(cfg.scheduler),
        monitor=monitor,
        config=config,
        seed=cfg.seed,
    )
    metrics = MetricsWriter(folder / "metrics.csv")
    gallery = Gallery(folder / "pictures", metrics, **cfg.pictures)
    callbacks = [
        *([WeightEMA(cfg.ema_decay)] if cfg.ema_decay else []),
        ProgressBar(monitor, folder / "progress.json"),
        metrics,  # before the checkpoint: a row may lack its checkpoint, not the reverse
        *checkpoints(folder / "checkpoints", monitor, mode),
        gallery,
    ]
    require_distinct(own, callbacks)
    callbacks += own
    return Training(config, monitor, mode, why, loaders, module, metrics, gallery, callbacks, own)


def fit(cfg: DictConfig, folder: Path, command: str | None = None) -> float:
    """Train as ``cfg`` says, write the record to ``folder``, and return the best score.

    Parameters
    ----------
    command
        What a person would type to train the same; ``None``: what started this process.

    Raises
    ------
    KeyboardInterrupt, Preempted
        If the training was asked to stop, and has saved itself.
    """
    with Stopping(folder) as stopping:
        return fit_until_stopped(cfg, folder, command, stopping)


def fit_until_stopped(
    cfg: DictConfig, folder: Path, command: str | None, stopping: Stopping
) -> float:
    """Train as :func:`fit` does; ``stopping`` hears already what asks for an end."""
    seed_everything(cfg.seed, verbose=False)
    training = prepare(cfg, build_dataset(cfg), folder)
    start, resumed = starting_point(cfg, training.config, folder)
    if cfg.preview:
        return preview(training.loaders, folder)
    training.loaders.check()
    # Behind the callbacks whose state a checkpoint holds.
    callbacks = [*training.callbacks, stopping, DataWait()]
    trainer = build_trainer(folder, callbacks, [], build(cfg.trainer))

    # Of several processes on one run, the first keeps the record.
    first = int(os.environ.get("RANK", 0)) == 0
    monitor, mode, metrics = training.monitor, training.mode, training.metrics
    facts = {"name": cfg.name, "run_id": run_id(folder, resumed), "monitor": monitor, "mode": mode}
    facts |= {"command": command} if command else {}
    path = folder / "summary.json"
    held = own(folder) if first else nullcontext()
    keep = summary(path, resumed, **facts) if first else nullcontext({})
    with held, keep as record:
        if first:
            write_atomically(folder / "config.yaml", to_yaml(cfg))
        if cfg.compile:
            training.module.network.compile()
        failed, loggers = True, []
        try:
            if first:
                announce(training, trainer, folder, start)
                logger = build(cfg.logger)(
                    folder=folder, run_id=facts["run_id"], config=training.config
                )
                trainer.loggers = loggers = [logger] if logger else []
            data = DataModule(training.loaders)
            trainer.fit(training.module, data, ckpt_path=start, weights_only=True)
            if trainer.interrupted:
                raise KeyboardInterrupt
            record["state"] = stopping.reason or "finished"
            record["ended_by"] = ending(trainer, stopping.reason, training.own)
            failed = stopping.reason in ("preempted", "interrupted")  # W&B's run goes on later
            leave()
        finally:
            best, written = metrics.best(monitor, mode), training.gallery.written
            record["steps"] = trainer.global_step
            record["scores"] = best
            record["score"] = best.get(monitor)
            record["pictures"] = [str(path.relative_to(folder)) for path in written]
            record["wandb"] = address(loggers)
            finish(loggers, failed)
    if stopping.reason == "preempted":
        raise Preempted
    if stopping.reason == "interrupted":
        raise KeyboardInterrupt
    if first:
        conclude(folder, best, written, record["ended_by"])
    return float(best.get(monitor, math.nan))


@contextmanager
def own(folder: Path) -> Iterator[None]:
    """Hold a run folder for this process alone.

    Raises
    ------
    FileExistsError
        If another process trains in it and does not end.
    """
    with ExitStack() as stack:
        try:
            # One whose sweep was killed saves itself, and lets go.
            stack.enter_context(locked(folder / ".hydra" / "lock", PATIENCE))
        except Timeout:
            raise FileExistsError(
                f"Another process trains in {folder}. Wait for its end, or give another "
                "hydra.run.dir."
            ) from None
        yield


def leave_out_null(cfg: DictConfig) -> None:
    """Take what an override has set to null (``metric.iou=null``) out of a group of many."""
    for group in ("metric", "callbacks"):
        node = cfg.get(group) or DictConfig({})
        for name in [name for name, part in node.items() if part is None]:
            with open_dict(node):
                del node[name]


def settle_monitor(cfg: DictConfig, metrics: Mapping[str, Any], by_class: bool) -> str:
    """Write into ``cfg.monitor`` which score chooses the best checkpoint, and its direction.

    Returns
    -------
    Why it is not the score that ``auto`` takes as a rule; empty where it is, or was chosen.

    Raises
    ------
    ValueError
        If the score is not among the metrics, or its direction is the other one.
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


def preview(loaders: Any, folder: Path) -> float:
    """Write a contact sheet of what the network would be shown."""
    from unet_exp.pictures import contact_sheet

    tiles = loaders.train().dataset
    samples = [{k: v.numpy() for k, v in tiles[number].items()} for number in range(8)]
    path = folder / "pictures" / "training_samples.png"
    contact_sheet(samples, path)
    log.info("%s", path)
    return math.nan


def conclude(folder: Path, best: dict[str, Any], pictures: list[Path], ended_by: str) -> None:
    """Print the scores of the best checkpoint, what ended the training, and where all lies."""
    from rich.table import Table

    table = Table(title=f"best checkpoint, step {best.get('step', 0):.0f}")
    table.add_column("score")
    table.add_column("value", justify="right")
    for name, value in best.items():
        if "/" in name:
            table.add_row(name, format_score(value))
    console = Console()
    console.print(table)
    best_checkpoint = folder / "checkpoints" / "best.ckpt"
    lines = [
        f"ended by    {ended_by}",
        f"run folder  {folder}",
        f"checkpoint  {best_checkpoint}",
        *(f"picture     {path}" for path in pictures),
    ]
    if list(folder.glob("wandb/offline-run-*")):
        lines.append(f"W&B         offline; to upload: wandb sync {folder}/wandb/offline-run-*")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
