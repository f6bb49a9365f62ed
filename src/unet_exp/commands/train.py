"""Train what the configuration names: ``python train.py dataset=hela model.depth=5``."""

import logging
import math
import secrets
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from unet_exp.commands.entry import launch

log = logging.getLogger(__name__)

#: What a resumed run must share with its beginning; the rest may change (steps, logger, ...).
FIXED = ("seed", "augmentation", "weight_map", "model", "loss", "optimizer", "averaging", "monitor")


def train(cfg: DictConfig) -> float:
    """Build what the config names, train it, and hand the score to a sweeper."""
    from lightning import seed_everything

    from unet_exp.commands.build import build, build_dataset, build_loaders, build_module
    from unet_exp.training.averaging import RunningMean
    from unet_exp.training.checkpoint import checkpoints
    from unet_exp.training.datamodule import DataModule
    from unet_exp.training.gallery import Gallery
    from unet_exp.training.loggers import finish
    from unet_exp.training.progress import ProgressBar
    from unet_exp.training.record import Metrics, summary

    folder = Path(HydraConfig.get().runtime.output_dir)
    seed_everything(cfg.seed, verbose=False)
    dataset = build_dataset(cfg)
    config = plain(cfg)
    start, resumed = starting_point(cfg, config, folder)
    network = build(cfg.model)
    loaders = build_loaders(cfg, dataset, network)
    if cfg.preview:
        return preview(loaders, folder)

    monitor, mode = f"val/{cfg.monitor.metric}", cfg.monitor.mode
    identity = {"name": cfg.name, "run_id": run_id(folder, resumed)}
    with summary(folder / "summary.json", resumed, **identity, monitor=monitor) as record:
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
        logger = build(cfg.logger)(folder=folder, run_id=identity["run_id"], config=config)
        loggers = [logger] if logger else []
        metrics = Metrics(folder / "metrics.csv")
        gallery = Gallery(folder / "pictures", metrics, **cfg.pictures)
        callbacks = [
            *([RunningMean(cfg.averaging)] if cfg.averaging else []),
            ProgressBar(monitor),
            metrics,  # before the checkpoint: a row may lack its checkpoint, not the reverse
            *checkpoints(folder / "checkpoints", monitor, mode),
            gallery,
        ]
        trainer = build(cfg.trainer)(folder=folder, callbacks=callbacks, loggers=loggers)
        failed = True
        try:
            trainer.fit(module, DataModule(loaders), ckpt_path=start, weights_only=True)
            if trainer.interrupted:
                raise KeyboardInterrupt
            failed = False
        finally:
            best = metrics.best(monitor, mode)
            record["steps"] = trainer.global_step
            record["scores"] = best
            record["pictures"] = [str(path.relative_to(folder)) for path in gallery.written]
            finish(loggers, failed)
    conclude(folder, best, gallery.written)
    return float(best.get(monitor, math.nan))


def plain(cfg: DictConfig) -> dict[str, Any]:
    """Return the configuration resolved, as plain data."""
    config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    return {str(key): value for key, value in config.items()} if isinstance(config, dict) else {}


def starting_point(
    cfg: DictConfig, config: dict[str, Any], folder: Path
) -> tuple[Path | None, bool]:
    """Return the checkpoint to start from, if any, and whether this run resumes its folder's.

    Raises
    ------
    CheckpointError
        If the checkpoint cannot be read, or is of another network or another run.
    """
    from unet_exp import schema
    from unet_exp.training.checkpoint import (
        CheckpointError,
        differences,
        read_checkpoint,
        require_same_model,
    )

    last = folder / "checkpoints" / "last.ckpt"
    resumed = cfg.resume and (folder / "summary.json").exists()
    if resumed and last.exists():
        start = last
    elif cfg.ckpt_path:
        start = Path(cfg.ckpt_path)
    else:
        return None, resumed
    held = read_checkpoint(start, schema.allowed_targets())["config"]
    require_same_model(start, held, config)
    if start == last:
        before, now = ({key: c.get(key) for key in FIXED} for c in (held, config))
        changed = list(differences(before, now))
        if changed:
            raise CheckpointError(
                f"{folder} was begun with "
                + ", ".join(f"{key}={then} (now {now})" for key, then, now in changed)
                + ". Resume it with the overrides it had, or drop resume=true."
            )
    return start, resumed


def run_id(folder: Path, resumed: bool) -> str:
    """Return the identity of a run, the same when it is resumed."""
    import json

    if resumed:
        try:
            return str(json.loads((folder / "summary.json").read_text())["run_id"])
        except (ValueError, KeyError):
            log.warning("summary.json in %s cannot be read; the run gets a new id.", folder)
    return secrets.token_hex(4)


def preview(loaders: Any, folder: Path) -> float:
    """Write a contact sheet of what the network would be shown."""
    from unet_exp.pictures import contact_sheet

    samples = [loaders.train().dataset[number] for number in range(8)]
    path = folder / "pictures" / "training_samples.png"
    contact_sheet([{key: value.numpy() for key, value in s.items()} for s in samples], path)
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
    lines = [f"run folder  {folder}", *(f"picture     {path}" for path in pictures)]
    if list(folder.glob("wandb/offline-run-*")):
        lines.append(f"W&B         offline; to upload: wandb sync {folder}/wandb/offline-run-*")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def main() -> None:
    """Entry point of ``train.py`` and ``unet-train``."""
    launch(train, "train")


if __name__ == "__main__":
    main()
