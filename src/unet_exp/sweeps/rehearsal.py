"""Rehearse jobs: build the same objects, without memory for weights, files or training."""

from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.checks import validate
from unet_exp.configuration.objects import build
from unet_exp.configuration.paths import settle_paths
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep_folder import Job, SweepFolder
from unet_exp.runs.planned import settle_by_start
from unet_exp.runs.preparation import prepare
from unet_exp.runs.resume import require_fitting, source_of_weights, starting_point
from unet_exp.training.assembly import build_dataset
from unet_exp.training.devices import process_count
from unet_exp.training.init_from import take_weights
from unet_exp.training.trainer import build_trainer

#: Number of datasets that are kept for later jobs. Most sweeps use one, or one for each fold.
KEPT = 8
#: Settings of the trainer for jobs that run on other devices than this process.
ELSEWHERE = {
    "accelerator": "cpu", "devices": 1, "num_nodes": 1, "strategy": "auto", "precision": "auto",
}  # fmt: skip


class Rehearsal:
    """Build the objects that jobs would build.

    Parameters
    ----------
    here
        Whether the jobs run on this machine, so that they need its devices.
    """

    def __init__(self, here: bool) -> None:
        self.here = here
        self.datasets: dict[str, tuple[Any, DictConfig]] = {}
        self.monitor, self.mode = "", ""
        #: For each score, whether higher values are better.
        self.higher_is_better: dict[str, bool] = {}

    def rehearse(self, job: Job, cfg: DictConfig) -> None:
        """Build everything that a job would build, and check that its devices exist."""
        cfg = cfg.copy()
        settle_paths(cfg)
        validate(cfg, "train")
        if cfg.preview:
            raise ValueError(
                "preview=true trains nothing, so that there is nothing to compare. Leave it out, "
                "or give it to a single training."
            )
        if self.here:
            process_count(cfg.trainer.accelerator, cfg.trainer.devices)
        # A job that resumes from its own checkpoint no longer needs the one that it started from.
        run = SweepFolder(Path(HydraConfig.get().sweep.dir)).run(job.folder)
        start = weights = None
        if (cfg.ckpt_path or cfg.init_from.path) and not run.last.exists():
            start, _ = starting_point(cfg, RunFolder(Path()))
            weights = None if start else source_of_weights(cfg)
        settle_by_start(cfg, start, weights)
        with torch.device("meta"):
            training = prepare(cfg, self.dataset(cfg), RunFolder(Path()))
            training.module.configure_optimizers()
        training.loaders.check()
        if start:
            require_fitting(start, training.config, RunFolder(Path()))
        if weights:
            network, strict = training.module.network, cfg.init_from.strict
            take_weights(network, weights, strict, training.config)
        here = self.here and cfg.trainer.devices == 1
        settings = build(cfg.trainer, **({} if here else ELSEWHERE))
        build_trainer(Path(), training.callbacks, [], settings)
        self.monitor, self.mode = training.monitor, training.mode
        for name, metric in training.module.metrics.items():
            self.higher_is_better[name] = bool(metric.higher_is_better)

    def dataset(self, cfg: DictConfig) -> Any:
        """Return the dataset of a job; the same dataset is read only once."""
        key = OmegaConf.to_yaml(cfg.dataset, resolve=True)
        if key not in self.datasets:
            if len(self.datasets) == KEPT:
                del self.datasets[next(iter(self.datasets))]
            dataset = build_dataset(cfg)
            self.datasets[key] = (dataset, cfg.dataset.copy())
        dataset, cfg.dataset = self.datasets[key]
        return dataset
