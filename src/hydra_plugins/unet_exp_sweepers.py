"""The sweepers of unet_exp, at the place where Hydra searches. Hydra imports it at every start."""

from typing import TYPE_CHECKING, Any

from hydra.plugins.sweeper import Sweeper

from unet_exp.sweeps.settings import HydraSweep, SearchSettings

if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig


class ResumableSweeper(Sweeper):
    """A sweeper whose jobs share one folder, in which an interrupted sweep continues."""

    params: dict[str, Any] | None

    def setup(
        self,
        *,
        hydra_context: "HydraContext",
        task_function: "TaskFunction",
        config: "DictConfig",
    ) -> None:
        """Keep what a sweep needs, and build the launcher."""
        from hydra.core.plugins import Plugins

        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        self.sweep_of_hydra = HydraSweep(
            config, hydra_context.config_loader, launcher, self.params or {}
        )


class Grid(ResumableSweeper):
    """Every combination of the given values.

    Parameters
    ----------
    params
        Values by key from a preset, written as on the command line.
    """

    def __init__(self, params: dict[str, Any] | None = None) -> None:
        self.params = params

    def sweep(self, arguments: list[str]) -> None:
        """Run every combination that ``arguments`` and ``params`` name."""
        from unet_exp.sweeps.grid import run_grid

        run_grid(self.sweep_of_hydra, arguments)


class Optuna(SearchSettings, ResumableSweeper):
    """A search by Optuna; its options are those of :class:`SearchSettings`."""

    def sweep(self, arguments: list[str]) -> None:
        """Search among the values that ``arguments`` and ``params`` name."""
        from unet_exp.sweeps.search import run_search

        run_search(self.sweep_of_hydra, self, arguments)
