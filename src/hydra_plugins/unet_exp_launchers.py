"""The launchers of unet_exp, at the place where Hydra searches. Hydra imports it at every start.

The options of a launcher are the fields of its backend.
"""

from abc import abstractmethod
from collections.abc import Sequence
from inspect import signature
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from unet_exp.sweeps.job_runner import JobRunner
from unet_exp.sweeps.ray_backend import RayBackend
from unet_exp.sweeps.slurm_backend import SlurmBackend
from unet_exp.sweeps.slurm_local_backend import SlurmLocalBackend


class BackendLauncher(Launcher):
    """A launcher whose backend runs the jobs."""

    @abstractmethod
    def __init__(self, backend: RayBackend | SlurmBackend | SlurmLocalBackend) -> None:
        self.backend = backend

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Keep the data that a job needs to run in another process."""
        self.runner = JobRunner(hydra_context, task_function, config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the jobs; return results in their order."""
        return self.backend.launch(self.runner, job_overrides, initial_job_idx)


class RayLauncher(BackendLauncher):
    """``hydra/launcher=ray``: a GPU for each job, or a part of one, or several."""

    __signature__ = signature(RayBackend)

    def __init__(self, **options: Any) -> None:
        super().__init__(RayBackend(**options))


class SlurmLauncher(BackendLauncher):
    """``hydra/launcher=slurm``: the jobs as one job array of SLURM."""

    __signature__ = signature(SlurmBackend)

    def __init__(self, **options: Any) -> None:
        super().__init__(SlurmBackend(**options))


class SlurmLocalLauncher(BackendLauncher):
    """``hydra/launcher=slurm_local``: a dry run of ``slurm`` on this machine."""

    __signature__ = signature(SlurmLocalBackend)

    def __init__(self, **options: Any) -> None:
        super().__init__(SlurmLocalBackend(**options))
