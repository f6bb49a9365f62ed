"""Lightning's Trainer, with the settings of ``conf/trainer/`` and the defaults of this project."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import torch

from unet_exp.configuration.trainer_options import require_free
from unet_exp.training.devices import device_type, gpu_count, parse_devices, process_count
from unet_exp.training.ignored_warnings import ignore_warnings
from unet_exp.training.torchrun import started_by_torchrun, world_size

if TYPE_CHECKING:  # importing Lightning takes seconds; `--help` and a wrong override need none
    from lightning.pytorch import Callback, Trainer
    from lightning.pytorch.loggers import Logger


@dataclass(frozen=True)
class TrainerSettings:
    """The settings of a training that ``trainer.NAME=VALUE`` changes.

    Parameters
    ----------
    accelerator
        ``auto`` takes the GPU if there is one.
    devices
        Number or indices of devices (see :func:`unet_exp.training.devices.process_count`).
    num_nodes
        Number of machines, with ``devices`` on each.
    strategy
        ``auto``, ``ddp``, ``fsdp``, or another of Lightning's.
    precision
        One of Lightning's, or ``auto``: mixed bfloat16 if the hardware is fast at it (a GPU from
        Ampere on, a CPU with AMX), else float32.
    max_steps
        Optimiser steps after which training ends; at least 1.
    budget
        Time that the training may take, such as ``20min``, ``90s`` or ``2h``. The training measures
        its pace first, and computes ``max_steps`` from it.
    max_time
        Wall-clock limit, ``DD:HH:MM:SS``. The training ends at the first limit that it reaches; the
        network is then validated and saved.
    gradient_clip_val
        Upper bound of the gradient's L2 norm.
    accumulate_grad_batches
        Number of batches whose gradients are accumulated for one step.
    limit_val_batches
        Number of validation images over all processes, or a fraction of them.
    log_every_n_steps
        Steps between two entries of the training loss in the logger.
    deterministic
        Whether the same command gives the same network again. False is faster on some GPUs.
    sync_batchnorm
        Whether batch norm uses the tiles of all GPUs together.
    options
        Any other argument of ``lightning.pytorch.Trainer``, except those that a run depends on
        (:func:`unet_exp.configuration.trainer_options.require_free`).

    Raises ValueError if ``max_steps`` or ``limit_val_batches`` is not positive, ``max_time`` cannot
    be read, or an option is one that the record of a run depends on.
    """

    accelerator: str = "auto"
    devices: int | str | list[int] = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str = "auto"
    max_steps: int = 500
    budget: str | None = None
    max_time: str | None = None
    gradient_clip_val: float | None = None
    accumulate_grad_batches: int = 1
    limit_val_batches: int | float = 1.0
    log_every_n_steps: int = 10
    deterministic: bool = True
    sync_batchnorm: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        own = [setting.name for setting in fields(self)]
        require_free(self.options, [*own, "folder", "callbacks", "loggers"])
        if self.max_steps < 1:
            raise ValueError(
                f"trainer.max_steps={self.max_steps} trains nothing. Give 1 or more; to end by the "
                "clock, add trainer.max_time=00:01:00:00 (DD:HH:MM:SS)."
            )
        if self.max_time is not None and not re.fullmatch(r"\d+:\d\d:\d\d:\d\d", self.max_time):
            raise ValueError(
                f"trainer.max_time={self.max_time} is no duration. Write DD:HH:MM:SS, such as "
                "00:00:20:00 for 20 minutes."
            )
        if not self.limit_val_batches:
            raise ValueError(
                "trainer.limit_val_batches=0 leaves no validation, at which scores and checkpoints "
                "are written. Give at least 1 image."
            )


def build_trainer(
    folder: Path,
    callbacks: "Sequence[Callback]",
    loggers: "Sequence[Logger]",
    settings: TrainerSettings,
) -> "Trainer":
    """Return a Trainer that writes only to ``folder``.

    Raises ValueError if the devices do not exist here, or if settings contradict each other.
    """
    from lightning.pytorch import Trainer

    local = process_count(settings.accelerator, settings.devices)
    processes = local * settings.num_nodes
    require_started(processes)
    if settings.strategy == "fsdp":
        require_shardable(callbacks, settings.sync_batchnorm)
    ignore_warnings()
    # In its deterministic mode, torch also fills new memory, to detect reads of uninitialised
    # values. That takes 5 % of a step and changes no result.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    auto = settings.precision == "auto"
    indices = parse_devices(settings.devices)
    return Trainer(
        default_root_dir=folder,
        callbacks=list(callbacks),
        logger=list(loggers),
        accelerator=settings.accelerator,
        # On a CPU, Lightning accepts no list, and "auto" would mean all cores.
        devices=indices if isinstance(indices, list) else local,
        num_nodes=settings.num_nodes,
        strategy=choose_strategy(settings.strategy, processes),
        precision=best_precision(settings.accelerator) if auto else settings.precision,  # pyright: ignore[reportArgumentType]
        max_steps=settings.max_steps,
        max_epochs=-1,
        max_time=settings.max_time,
        gradient_clip_val=settings.gradient_clip_val,
        accumulate_grad_batches=settings.accumulate_grad_batches,
        limit_val_batches=settings.limit_val_batches,
        log_every_n_steps=settings.log_every_n_steps,
        # Deterministic kernels of cuDNN, and a warning for operations that have none.
        deterministic="warn" if settings.deterministic else False,
        benchmark=not settings.deterministic,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        # torch supports this only on GPUs. On a CPU, each process normalises with its own tiles.
        sync_batchnorm=settings.sync_batchnorm and gpu_count(settings.accelerator) > 0,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=True,
        plugins=plugins(processes),
        **settings.options,
    )


def choose_strategy(name: str, processes: int) -> Any:
    """Return Lightning's strategy for several processes.

    With ``ddp`` each process has the whole network, with ``fsdp`` a part of it. Other names are
    those of Lightning.
    """
    from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy
    from torch.nn.parallel import DistributedDataParallel

    if name == "fsdp":
        # Each checkpoint is one file, as in any other training.
        return ModelParallelStrategy(processes, 1, save_distributed_checkpoint=False)
    if name not in ("auto", "ddp") or processes == 1:
        return name
    # SegmentationModule averages the statistics of batch norm, and validation needs no others.
    known = inspect.signature(DistributedDataParallel).parameters
    buffers = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    settings: dict[str, Any] = {buffers: False, "gradient_as_bucket_view": True}
    return DDPStrategy(**settings)


def require_shardable(callbacks: "Sequence[Callback]", sync_batchnorm: bool) -> None:
    """Refuse settings that are impossible with a sharded network.

    Raises ValueError with the setting to change.
    """
    from lightning.pytorch.callbacks import WeightAveraging

    if any(isinstance(callback, WeightAveraging) for callback in callbacks):
        raise ValueError(
            "trainer.strategy=fsdp leaves each device a part of the weights, and their moving "
            "average needs them all. Add ema_decay=0, or take trainer=ddp."
        )
    if sync_batchnorm:
        raise ValueError(
            "trainer.sync_batchnorm=true does not go with trainer.strategy=fsdp. Leave it out: the "
            "statistics of batch norm are averaged over the devices at every step."
        )


def require_started(processes: int) -> None:
    """Refuse to train in another number of processes than torchrun started.

    Raises ValueError with both numbers.
    """
    started = world_size()
    if started_by_torchrun() and started != processes:
        raise ValueError(
            f"torchrun started {started} process{'es' * (started > 1)}, and trainer.devices times "
            f"trainer.num_nodes is {processes}. Give torchrun --nproc-per-node=DEVICES "
            "--nnodes=NODES, or change trainer.devices and trainer.num_nodes."
        )


def plugins(processes: int) -> list[Any]:
    """Return Lightning's plugins for a training with this number of processes."""
    from lightning.fabric.plugins.environments.lightning import LightningEnvironment

    from unet_exp.training.checkpoint_io import WholeFilesIO

    # Inside a SLURM job Lightning would take SLURM's tasks for processes of this training.
    alone = processes == 1 and not started_by_torchrun()
    return [WholeFilesIO(), *([LightningEnvironment()] if alone else [])]


def best_precision(accelerator: str) -> str:
    """Return ``bf16-mixed`` if the hardware multiplies bfloat16 fast, else ``32-true``.

    A CPU can do so with AMX (ten times as fast as float32) and often with AVX-512 BF16, see
    `bfloat16_is_faster`. Without them, bfloat16 is emulated and 20 times slower. Older versions of
    torch do not report the instructions of a CPU; with them, the result is ``32-true``.
    """
    device = device_type(accelerator)
    if device == "cuda":
        fast = torch.cuda.get_device_capability() >= (8, 0)
    else:
        able = getattr(torch.cpu, "get_capabilities", dict)() if device == "cpu" else {}
        fast = able.get("amx_bf16") or (able.get("avx512_bf16") and bfloat16_is_faster())
    return "bf16-mixed" if fast else "32-true"


@lru_cache(maxsize=1)
def bfloat16_is_faster() -> bool:
    """Return whether this CPU multiplies matrices faster in bfloat16 than in float32.

    Of the processors with AVX-512 BF16, some take half of the time of float32, others twice. The
    margin keeps all processes of a training and all jobs of a sweep in agreement.
    """

    def product(matrix: torch.Tensor) -> float:
        start = process_time()
        torch.mm(matrix, matrix)
        return process_time() - start

    single, half = (torch.ones(512, 512, dtype=t) for t in (torch.float32, torch.bfloat16))
    halves = min(product(half) for _ in range(5))
    return halves < 0.75 * min(product(single) for _ in range(5))
