"""Start a training in this process or in new processes."""

import shlex
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from unet_exp.configuration.overrides import key_of
from unet_exp.configuration.settling import settle
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.check import in_sweep
from unet_exp.training.torchrun import (
    is_one_of_several,
    local_world_size,
    share,
    world_size,
)


def start(cfg: DictConfig, command: str | None = None) -> float:
    """Train in this process, or in new processes for a job of a sweep and for several devices.

    Parameters
    ----------
    command
        The command that repeats the training. None means the command of this process.

    Returns
    -------
    The score of the best checkpoint, for a sweeper.
    """
    from unet_exp.runs.processes import run_job
    from unet_exp.training.devices import process_count

    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    settled = settle(cfg)
    if is_one_of_several():
        ranks, local = world_size(), local_world_size()
        settled.trainer.devices, settled.trainer.num_nodes = local, ranks // local
        share(settled, folder)
    else:
        count = 1 if cfg.preview else process_count(cfg.trainer.accelerator, cfg.trainer.devices)
        if in_sweep() or count > 1:
            if in_sweep() and RunFolder(folder).summary.exists():
                settled.resume = True  # an interrupted job of this sweep
            # A preset (sweep=...) would start its sweep again.
            words = [word for word in hydra.overrides.task if key_of(word) != "sweep"]
            typed = command or shlex.join(["python", "train.py", *words])
            return run_job(settled, folder, typed, count, quiet=in_sweep())
    from unet_exp.runs.fit import fit

    return fit(settled, folder, command)
