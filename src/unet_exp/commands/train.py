"""Train what the configuration names: ``python train.py dataset=hela model.depth=5``."""

import logging
import math
import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from unet_exp.commands.entry import launch
from unet_exp.commands.resume import run_id, starting_point

log = logging.getLogger(__name__)

#: Which score chooses the best checkpoint with ``monitor.metric=auto``: the first there is.
PREFERRED = ("seg", "v_rand", "v_info", "iou", "dice", "pixel_error")
PREFERRED_BY_CLASS = ("iou", "dice", "pixel_error")


def train(cfg: DictConfig) -> float:
    """Build what the config names, train it, and hand the score to a sweeper."""
    from lightning import seed_everything

    from unet_exp.commands.build import (
        build,
        build_dataset,
        build_loaders,
        build_metrics,
        build_module,
        plain,
    )
    from unet_exp.training.averaging import RunningMean
    from unet_exp.training.datamodule import DataModule
    from unet_exp.training.gallery import Gallery
    from unet_exp.training.history import Metrics
    from unet_exp.training.loggers import finish
    from unet_exp.training.progress import ProgressBar
    from unet_exp.training.record import summary
    from unet_exp.training.saving import checkpoints

    folder = Path(HydraConfig.get().runtime.output_dir)
    seed_everything(cfg.seed, verbose=False)
    dataset = build_dataset(cfg)
    settle_monitor(cfg, build_metrics(cfg), by_class(dataset))
    config = plain(cfg)
    start, resumed = starting_point(cfg, config, folder)
    network = build(cfg.model)
    loaders = build_loaders(cfg, dataset, network)
    if cfg.preview:
        return preview(loaders, folder)

    monitor, mode = f"val/{cfg.monitor.metric}", cfg.monitor.mode
    identity = {"name": cfg.name, "run_id": run_id(folder, resumed)}
    # Of several processes on one run, the first keeps the record.
    first = int(os.environ.get("LOCAL_RANK", 0)) == int(os.environ.get("NODE_RANK", 0)) == 0
    path = folder / "summary.json"
    keep = summary(path, resumed, **identity, monitor=monitor) if first else nullcontext({})
    with keep as record:
        module = build_module(
            cfg,
            network,
            optimizer=build(cfg.optimizer),
            scheduler=build(cfg.scheduler),
            monitor=monitor,
            config=config,
            seed=cfg.seed,
        )
        if cfg.compile:
            network.compile()
        metrics = Metrics(folder / "metrics.csv")
        gallery = Gallery(folder / "pictures", metrics, **cfg.pictures)
        callbacks = [
            *([RunningMean(cfg.averaging)] if cfg.averaging else []),
            ProgressBar(monitor),
            metrics,  # before the checkpoint: a row may lack its checkpoint, not the reverse
            *checkpoints(folder / "checkpoints", monitor, mode),
            gallery,
        ]
        failed, loggers, trainer = True, [], None
        try:
            if first:
                logger = build(cfg.logger)(folder=folder, run_id=identity["run_id"], config=config)
                loggers = [logger] if logger else []
            trainer = build(cfg.trainer)(folder=folder, callbacks=callbacks, loggers=loggers)
            trainer.fit(module, DataModule(loaders), ckpt_path=start, weights_only=True)
            if trainer.interrupted:
                raise KeyboardInterrupt
            failed = False
        finally:
            best = metrics.best(monitor, mode)
            record["steps"] = trainer.global_step if trainer else 0
            record["scores"] = best
            record["pictures"] = [str(path.relative_to(folder)) for path in gallery.written]
            finish(loggers, failed)
    if first:
        conclude(folder, best, gallery.written)
    return float(best.get(monitor, math.nan))


def settle_monitor(cfg: DictConfig, metrics: Mapping[str, Any], by_class: bool) -> None:
    """Write into ``cfg.monitor`` which score chooses the best checkpoint, and its direction.

    Raises
    ------
    ValueError
        If the score is not among the metrics, or its direction is the other one.
    """
    monitor = cfg.monitor
    if monitor.metric == "auto":
        names = PREFERRED_BY_CLASS if by_class else PREFERRED
        monitor.metric = next((name for name in names if name in metrics), "loss")
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


def conclude(folder: Path, best: dict[str, Any], pictures: list[Path]) -> None:
    """Print the scores of the best checkpoint and where everything lies."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"best checkpoint, step {best.get('step', 0):.0f}")
    table.add_column("score")
    table.add_column("value", justify="right")
    for name, value in best.items():
        if "/" in name:
            table.add_row(name, f"{value:.4f}")
    console = Console()
    console.print(table)
    best_checkpoint = folder / "checkpoints" / "best.ckpt"
    lines = [
        f"run folder  {folder}",
        f"checkpoint  {best_checkpoint}",
        *(f"picture     {path}" for path in pictures),
    ]
    if list(folder.glob("wandb/offline-run-*")):
        lines.append(f"W&B         offline; to upload: wandb sync {folder}/wandb/offline-run-*")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def main() -> None:
    """Entry point of ``train.py`` and ``unet-train``."""
    launch(train, "train")


if __name__ == "__main__":
    main()
