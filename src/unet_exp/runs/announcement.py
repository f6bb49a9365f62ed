"""Log what a training is about to do, before its first step."""

import logging
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from unet_exp.runs.preparation import PreparedTraining

log = logging.getLogger(__name__)


def announce(
    training: "PreparedTraining", trainer: "Trainer", folder: Path, start: Path | None
) -> None:
    """Log folder, device, network, tiles, steps, data and monitor of a training.

    Parameters
    ----------
    start
        The checkpoint to start from, if any.
    """
    for name, text in lines(training, trainer, folder, start):
        log.info("%-11s %s", name, text)


def lines(
    training: "PreparedTraining", trainer: "Trainer", folder: Path, start: Path | None
) -> Iterator[tuple[str, str]]:
    """Yield a name and a text for each line."""
    loaders, network = training.loaders, training.module.network
    processes = trainer.world_size
    yield "run folder", str(folder)
    if start:
        yield "goes on", f"from {start}"
    yield "device", f"{device(trainer)}, {counted(processes, 'process')}, {trainer.precision}"
    parameters = sum(p.numel() for p in network.parameters())
    yield "network", f"{type(network).__name__}, {parameters:,} parameters"
    yield from training.notes.items()
    samples = loaders.labelled("train")
    tile = loaders.training_tile()
    each = loaders.batch_size * trainer.accumulate_grad_batches
    yield (
        "tiles",
        (
            f"{tile} x {tile} pixels, {each} per step"
            + (" of each process" if processes > 1 else "")
            + mirrored(loaders.shown_sizes("train"), network.output_size(tile))
        ),
    )
    every = loaders.steps_per_validation / trainer.accumulate_grad_batches
    limit = training.config["trainer"].get("max_time")
    yield (
        "steps",
        (
            f"{trainer.max_steps}, a validation every {every:g}"
            + (f", at most {limit} (DD:HH:MM:SS)" if limit else "")
        ),
    )
    yield (
        "data set",
        (
            f"{loaders.dataset.name}, {counted(len(samples), 'image')} to train on, "
            f"{len(loaders.labelled('validation'))} to validate on"
        ),
    )
    for number, line in enumerate(training.plan):
        yield ("plan" if number == 0 else "", line)
    better = "more" if training.mode == "max" else "less"
    yield (
        "monitor",
        f"{training.monitor} chooses best.ckpt, {better} is better"
        + (f"; {training.why}" if training.why else ""),
    )


def device(trainer: "Trainer") -> str:
    """Return the name of the device that this process trains on."""
    root = trainer.strategy.root_device
    if root.type == "cuda":
        return torch.cuda.get_device_name(root)
    return f"{root.type.upper()} ({platform.processor() or platform.machine()})"


def mirrored(sizes: list[tuple[int, int]], output: int) -> str:
    """Return a note if an image is smaller than the output of a tile, else nothing."""
    small = [size for size in sizes if min(size) < output]
    if not small:
        return ""
    height, width = min(small)
    return f"; images smaller than {output} pixels, such as {height} x {width}, go on mirrored"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "process"), counted(2, "process"), counted(2, "image")
    ('1 process', '2 processes', '2 images')
    """
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{ending}"
