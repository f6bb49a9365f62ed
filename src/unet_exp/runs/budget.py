"""Settle the number of steps so that a training ends in a given time."""

import time
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from unet_exp.configuration.objects import build
from unet_exp.numbers import parse_duration
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.preparation import prepare
from unet_exp.training.devices import device_type, process_count
from unet_exp.training.pace import Pace, measure_pace
from unet_exp.training.trainer import best_precision

SAFETY = 0.95
"""Part of the time for steps and validations; writing checkpoints and pictures takes the rest."""
FITTING = 2.5
"""Seconds to fit the postprocessing to a million pixels of validation images, at the end."""


def settle_budget(cfg: DictConfig, dataset: Any, started: float) -> list[str]:
    """Measure the pace of the training, and write the number of steps that fit into ``cfg``.

    Parameters
    ----------
    started
        The time of ``time.monotonic`` at which the budget began.

    Returns
    -------
    A line with the measured times; an empty list if ``cfg`` has no budget.

    Raises ValueError if not even one step fits, or if the training has several processes.
    """
    if cfg.trainer.get("budget") is None:
        return []
    budget = parse_duration(str(cfg.trainer.budget), "trainer.budget")
    if process_count(cfg.trainer.accelerator, cfg.trainer.devices) * cfg.trainer.num_nodes > 1:
        raise ValueError(
            f"trainer.budget={cfg.trainer.budget} measures one process, and this training has "
            "several. Give trainer.max_steps=STEPS, or a single device."
        )
    settings = build(cfg.trainer, max_steps=1, budget=None)
    training = prepare(cfg.copy(), dataset, RunFolder(Path()))
    training.loaders.check()
    auto = settings.precision == "auto"
    pace = measure_pace(
        training.module,
        training.loaders,
        torch.device(device_type(settings.accelerator)),
        best_precision(settings.accelerator) if auto else settings.precision,
        settings.accumulate_grad_batches,
        settings.limit_val_batches,
    )
    pixels = sum(sample.image[0].size for sample in training.loaders.labelled("validation"))
    fitting = FITTING * pixels / 1e6 if cfg.postprocessing.get("fit") else 0.0
    left = budget - (time.monotonic() - started) - fitting
    every = training.loaders.steps_per_validation // settings.accumulate_grad_batches
    steps = steps_within(SAFETY * left, pace, every)
    told = f"a step takes {pace.step:.2g} s, a validation {pace.validation:.2g} s"
    if steps < 1:
        least = budget - left + 10 * pace.step + pace.validation
        raise ValueError(
            f"trainer.budget={cfg.trainer.budget} is too short: {told}. Give at least "
            f"trainer.budget={least / SAFETY:.0f}s."
        )
    cfg.trainer.max_steps = steps
    line = f"trainer.max_steps={steps}  (trainer.budget={cfg.trainer.budget}: {told})"
    cfg.trainer.budget = None
    return [line]


def steps_within(seconds: float, pace: Pace, every: int) -> int:
    """Return how many steps fit into some seconds, with a validation after each ``every`` steps.

    The training ends with a validation, too.

    >>> steps_within(105, Pace(step=1, validation=10), every=20)
    65
    """
    whole = int(max(0.0, seconds) // (every * pace.step + pace.validation))
    rest = seconds - whole * (every * pace.step + pace.validation)
    return whole * every + int(max(0.0, rest - pace.validation) // pace.step)
