"""The sweepers of unet_exp where Hydra looks for them; Hydra imports this at every start."""

from typing import TYPE_CHECKING, Any

from hydra.plugins.sweeper import Sweeper

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig


class Resumable(Sweeper):
    """What both sweepers keep of Hydra."""

    def __init__(self, params: dict[str, Any] | None = None) -> None:
        self.params = params or {}

    def setup(
        self,
        *,
        hydra_context: "HydraContext",
        task_function: "TaskFunction",
        config: "DictConfig",
    ) -> None:
        """Keep what a sweep needs, and build the launcher."""
        from hydra.core.plugins import Plugins

        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )


class Grid(Resumable):
    """Every combination of the values given, in one sweep folder that can be gone on with.

    Parameters
    ----------
    params
        Values by key, as on the command line, for presets.
    """

    def sweep(self, arguments: list[str]) -> None:
        """Run every combination that ``arguments`` and ``params`` name."""
        from unet_exp.sweeps.grid import run_grid

        run_grid(self, arguments)


class Optuna(Resumable):
    """A search by Optuna, in one sweep folder that can be gone on with.

    Parameters
    ----------
    params
        Values by key, as on the command line, for presets.
    n_trials
        As many jobs, those before an interruption included.
    n_jobs
        Jobs that are launched together; more than one needs ``hydra/launcher=ray`` or ``slurm``.
    objectives
        One or several of the scores, such as ``val/seg``, or ``seconds``; none: what
        ``monitor.metric`` says.
    sampler
        ``tpe``, ``random``, ``brute_force``, ``cmaes``, ``gp``, ``qmc`` or ``nsgaii``.
    pruner
        ``none``, ``median``, ``percentile``, ``halving``, ``hyperband`` or ``threshold``: which
        jobs are stopped while they train. Several objectives know no pruning.
    sampler_options, pruner_options
        Arguments of Optuna's class.
    storage
        Address of a database, such as ``sqlite:///study.db``, in which several processes share the
        study ``study_name``; none: a file in the sweep's folder.
    """

    def __init__(
        self,
        params: dict[str, Any] | None = None,
        n_trials: int = 20,
        n_jobs: int = 1,
        objectives: list[str] = [],  # noqa: B006 - a schema needs the default itself
        sampler: str = "tpe",
        sampler_options: dict[str, Any] = {},  # noqa: B006
        pruner: str = "median",
        pruner_options: dict[str, Any] = {},  # noqa: B006
        seed: int | None = 0,
        storage: str | None = None,
        study_name: str | None = None,
    ) -> None:
        for name, value in (("n_trials", n_trials), ("n_jobs", n_jobs)):
            if value < 1:
                raise ValueError(f"hydra.sweeper.{name}={value}: give 1 or more.")
        super().__init__(params)
        self.n_trials, self.n_jobs, self.objectives = n_trials, n_jobs, list(objectives)
        self.sampler, self.sampler_options = sampler, sampler_options
        self.pruner, self.pruner_options = pruner, pruner_options
        self.seed, self.storage, self.study_name = seed, storage, study_name

    def sweep(self, arguments: list[str]) -> None:
        """Search among the values that ``arguments`` and ``params`` name."""
        from unet_exp.sweeps.search import run_search

        run_search(self, arguments)
