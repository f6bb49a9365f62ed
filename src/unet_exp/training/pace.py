"""Measure the pace of a training before it begins: seconds of a step and of a validation."""

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unet_exp.training.loaders import Loaders
from unet_exp.training.module import SegmentationModule

WARM_UP = 2
"""Steps that are not counted: the first ones allocate memory and choose kernels."""
MEASURED = (5.0, 2)
"""Seconds and steps to measure; the measurement ends when both are reached."""
VALIDATED = (5.0, 2)
"""Seconds and images to measure, or all images. If there are several, the first is not counted."""
PRECISIONS = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}


@dataclass(frozen=True)
class Pace:
    """Durations in seconds.

    Attributes
    ----------
    step
        One optimiser step.
    validation
        One validation, which segments and scores all validation images.
    """

    step: float
    validation: float


def measure_pace(
    module: SegmentationModule,
    loaders: Loaders,
    device: torch.device,
    precision: str,
    batches_per_step: int = 1,
    limit_val_batches: int | float = 1.0,
) -> Pace:
    """Train for a few steps, and validate a few images. This changes the weights of ``module``.

    Parameters
    ----------
    precision
        As for Lightning's Trainer.
    batches_per_step
        Batches whose gradients are accumulated in a step.
    limit_val_batches
        Number or fraction of the validation images in a validation.
    """
    module.to(device)
    with torch.autocast(
        device.type, PRECISIONS.get(precision, torch.bfloat16), enabled=precision in PRECISIONS
    ):
        steps = training_steps(module, loaders, device, batches_per_step)
        step = mean_seconds(steps, *MEASURED, WARM_UP)
        images = loaders.labelled("validation")
        some = isinstance(limit_val_batches, int)
        count = min(limit_val_batches, len(images)) if some else limit_val_batches * len(images)
        image = mean_seconds(validated_images(module, loaders, device), *VALIDATED)
    return Pace(step, image * max(1, int(count)))


def training_steps(
    module: SegmentationModule, loaders: Loaders, device: torch.device, batches_per_step: int
) -> Iterator[None]:
    """Yield after each training step, without end."""
    network = module.network.train()
    optimizer = module.optimizer(network.parameters())  # pyright: ignore[reportOptionalCall]
    batches: Iterator[dict[str, Tensor]] = itertools.chain.from_iterable(
        itertools.repeat(loaders.train())
    )
    for number, batch in enumerate(batches, start=1):
        batch = on_device(batch, device)
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        module.loss(network(image), batch["target"], batch["weights"]).backward()
        if number % batches_per_step == 0:
            optimizer.step()
            optimizer.zero_grad()
            wait_for(device)
            yield


def validated_images(
    module: SegmentationModule, loaders: Loaders, device: torch.device
) -> Iterator[None]:
    """Yield after each validation image."""
    module.eval()
    with torch.inference_mode():
        for batch in loaders.whole("validation"):
            module.score(on_device(batch, device))
            wait_for(device)
            yield


def mean_seconds(events: Iterable[None], seconds: float, least: int, warm_up: int = 1) -> float:
    """Return the mean time between events.

    The measurement ends after ``seconds`` and at least ``least`` events, or with the last event.
    The first ``warm_up`` events are left out, unless there are no others.

    >>> round(mean_seconds((time.sleep(0.05) for _ in range(9)), 0.2, 2), 1)
    0.1
    """
    times = [time.perf_counter()]
    for _ in events:
        times.append(time.perf_counter())
        first = times[min(warm_up, len(times) - 2)]
        if times[-1] - first >= seconds and len(times) - 1 - warm_up >= least:
            break
    first = min(warm_up, len(times) - 2)
    return (times[-1] - times[first]) / (len(times) - 1 - first)


def on_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Return a batch whose tensors lie on a device."""
    return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in batch.items()}


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has done its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
