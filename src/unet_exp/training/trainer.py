"""Lightning's Trainer, with the settings of ``conf/trainer/`` and the defaults of this project."""

import inspect
import logging
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from unet_exp.configuration.trainer_options import require_free
from unet_exp.training.devices import gpu_count, parse_devices, process_count

if TYPE_CHECKING:  # importing Lightning takes seconds; `--help` and a wrong override need none
    from lightning.pytorch import Callback, Trainer
    from lightning.pytorch.loggers import Logger


def build_trainer(
    folder: Path,
    callbacks: "list[Callback]",
    loggers: "list[Logger]",
    accelerator: str = "auto",
    devices: int | str | list[int] = 1,
    num_nodes: int = 1,
    strategy: str = "auto",
    precision: str = "auto",
    max_steps: int = 500,
    max_time: str | None = None,
    gradient_clip_val: float | None = None,
    accumulate_grad_batches: int = 1,
    limit_val_batches: int | float = 1.0,
    log_every_n_steps: int = 10,
    deterministic: bool = True,
    sync_batchnorm: bool = False,
    options: dict[str, Any] = {},  # noqa: B006 - a schema needs the default itself
) -> "Trainer":
    """Return a Trainer that writes to ``folder`` alone.

    Parameters
    ----------
    accelerator
        ``auto`` takes the GPU if there is one.
    devices
        How many, or which (see :func:`unet_exp.training.devices.process_count`).
    precision
        One of Lightning's, or ``auto``: bfloat16 products where the processor multiplies them
        in hardware (a GPU from Ampere on, a CPU with AMX), else float32.
    max_steps
        Optimiser steps, after which training ends; at least 1.
    max_time
        Wall-clock limit, ``DD:HH:MM:SS``; whichever comes first ends the training, and either
        way the network is validated and saved.
    gradient_clip_val
        Upper bound of the gradient's L2 norm.
    limit_val_batches
        So many validation images in all, or a fraction of them.
    strategy
        ``auto``, ``ddp``, ``fsdp``, or another of Lightning's.
    sync_batchnorm
        Batch norm by the tiles of all GPUs rather than of each.
    options
        Any other argument of ``lightning.pytorch.Trainer``, but for those that a run depends on
        (:func:`unet_exp.configuration.trainer_options.require_free`).

    Raises
    ------
    ValueError
        If ``max_steps`` is not positive, or the devices do not exist here, or an option is one of
        those that the record of a run depends on.
    """
    from lightning.pytorch import Trainer

    require_free(options, inspect.signature(build_trainer).parameters)
    if max_steps < 1:
        raise ValueError(
            f"trainer.max_steps={max_steps} trains nothing. Give 1 or more; to end by the clock, "
            "add trainer.max_time=00:01:00:00 (DD:HH:MM:SS)."
        )
    if max_time is not None and not re.fullmatch(r"\d+:\d\d:\d\d:\d\d", max_time):
        raise ValueError(
            f"trainer.max_time={max_time} is no duration. Write DD:HH:MM:SS, such as 00:00:20:00 "
            "for 20 minutes."
        )
    if not limit_val_batches:
        raise ValueError(
            "trainer.limit_val_batches=0 leaves no validation, at which scores and checkpoints are "
            "written. Give at least 1 image."
        )
    count = process_count(accelerator, devices)
    require_started(count * num_nodes)
    if strategy == "fsdp":
        require_shardable(callbacks, sync_batchnorm)
    quiet()
    # Deterministic torch would also fill all new memory, to find who reads it too early: 5 % of a
    # step, and nobody's numbers.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    settings: dict[str, Any] = {
        "default_root_dir": folder,
        "callbacks": callbacks,
        "logger": loggers,
        "accelerator": accelerator,
        # Lightning takes no list on a CPU, and "auto" there for all its cores.
        "devices": indices if isinstance(indices := parse_devices(devices), list) else count,
        "num_nodes": num_nodes,
        "strategy": chosen_strategy(strategy, count * num_nodes),
        "precision": best_precision(accelerator) if precision == "auto" else precision,
        "max_steps": max_steps,
        "max_epochs": -1,
        "max_time": max_time,
        "gradient_clip_val": gradient_clip_val,
        "accumulate_grad_batches": accumulate_grad_batches,
        "limit_val_batches": limit_val_batches,
        "log_every_n_steps": log_every_n_steps,
        # cuDNN's deterministic kernels, and a warning where an operation has none.
        "deterministic": "warn" if deterministic else False,
        "benchmark": not deterministic,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,
        # torch has it for GPUs alone; on a CPU each process normalises by its own tiles.
        "sync_batchnorm": sync_batchnorm and gpu_count(accelerator) > 0,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": True,
        "plugins": plugins(count * num_nodes),
    }
    return Trainer(**settings, **options)


def chosen_strategy(name: str, processes: int) -> Any:
    """Return how processes train together: with ``ddp`` each has the network, with ``fsdp`` a part.

    Others are Lightning's own.
    """
    from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy
    from torch.nn.parallel import DistributedDataParallel

    if name == "fsdp":
        # One file for each checkpoint, as any other training writes it.
        return ModelParallelStrategy(processes, 1, save_distributed_checkpoint=False)
    if name not in ("auto", "ddp") or processes == 1:
        return name
    # SegmentationModule shares the statistics of batch norm, and validation waits for nobody.
    known = inspect.signature(DistributedDataParallel).parameters
    buffers = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    settings: dict[str, Any] = {buffers: False, "gradient_as_bucket_view": True}
    return DDPStrategy(**settings)


def require_shardable(callbacks: "list[Callback]", sync_batchnorm: bool) -> None:
    """Refuse what does not go with a network that is spread over devices.

    Raises
    ------
    ValueError
        Naming it.
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


def started_by_torchrun() -> bool:
    """Whether torchrun started this process, alone or among others."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def require_started(processes: int) -> None:
    """Refuse to train in another number of processes than torchrun started.

    Raises
    ------
    ValueError
        With both numbers.
    """
    started = int(os.environ.get("WORLD_SIZE", 1))
    if started_by_torchrun() and started != processes:
        raise ValueError(
            f"torchrun started {started} process{'es' * (started > 1)}, and trainer.devices times "
            f"trainer.num_nodes is {processes}. Give torchrun --nproc-per-node=DEVICES "
            "--nnodes=NODES, or change trainer.devices and trainer.num_nodes."
        )


def plugins(processes: int) -> list[Any]:
    """Return what replaces parts of Lightning in a training of so many processes."""
    from lightning.fabric.plugins.environments.lightning import LightningEnvironment

    from unet_exp.training.whole_files import WholeFiles

    # Inside a SLURM job Lightning would take SLURM's tasks for processes of this training.
    alone = processes == 1 and not started_by_torchrun()
    return [WholeFiles(), *([LightningEnvironment()] if alone else [])]


def best_precision(accelerator: str) -> str:
    """Return ``bf16-mixed`` where the processor multiplies bfloat16 in hardware, else ``32-true``.

    On a CPU without such instructions bfloat16 is emulated, at a twentieth of the speed.
    """
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        fast = torch.cuda.get_device_capability() >= (8, 0)
    else:
        probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
        fast = accelerator in ("auto", "cpu") and probe is not None and probe()
    return "bf16-mixed" if fast else "32-true"


def quiet() -> None:
    """Silence what Lightning says about its own workings; its errors stay."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in (
        r".*does not have many workers.*",  # the loader's default is measured: see loaders.py
        r".*is smaller than the logging interval.*",
        r".*Checkpoint directory .* exists and is not empty.*",
        r".*callbacks used to create the checkpoint need to be provided.*",  # or not, as one likes
        r".*your dataloader is not resumable.*",  # ours goes on at the step of training
        r".*It is recommended to use `self\.log\(.*",  # what is logged is of all processes
        r".*callback with a model that overrides the configure_model.*",  # it does nothing there
        r".*FSDP2-wrapped module .* returned a view tensor.*",  # no loss writes into its logits
        r".*The `srun` command is available.*",  # torchrun starts the processes
        r".*dirpath has changed from .*",  # that is what ckpt_path asks for
        r".*`isinstance\(treespec, LeafSpec\)` is deprecated.*",
        r".*Detected call of `lr_scheduler\.step\(\)` before.*",
        r".*`srun` command is available on your system but is not used.*",  # by intent
    ):
        warnings.filterwarnings("ignore", message)
