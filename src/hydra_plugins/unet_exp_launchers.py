"""The launchers of unet_exp where Hydra looks for them, at every start."""

from unet_exp.sweeps import ray_backend, submitit_backend


class RayLauncher(ray_backend.RayLauncher):
    """``hydra/launcher=ray``."""


class SlurmLauncher(submitit_backend.SlurmLauncher):
    """``hydra/launcher=slurm``."""


class SlurmLocalLauncher(submitit_backend.SlurmLocalLauncher):
    """``hydra/launcher=slurm_local``."""
