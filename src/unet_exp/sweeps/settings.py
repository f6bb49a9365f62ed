"""The input of a sweep from Hydra: the sweeper's options, and the objects that Hydra sets up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from hydra.plugins.launcher import Launcher
    from omegaconf import DictConfig


@dataclass(frozen=True)
class HydraSweep:
    """The objects that Hydra gives to a sweeper."""

    config: "DictConfig"
    """The configuration of the sweep, with Hydra's part."""
    loader: "ConfigLoader"
    launcher: "Launcher"
    params: Mapping[str, Any]
    """Values by key from a preset, written as on the command line."""


@dataclass
class SearchSettings:
    """The options of ``hydra/sweeper=optuna``.

    Parameters
    ----------
    params
        Values by key from a preset, written as on the command line.
    n_trials
        Number of jobs, including those before an interruption.
    n_jobs
        Jobs that are launched together; more than one needs ``hydra/launcher=ray`` or ``slurm``.
    objectives
        One or several scores, such as ``val/seg``, or ``seconds``. Empty: ``monitor.metric``.
    sampler, pruner
        Options of ``hydra/sweeper/sampler`` and ``hydra/sweeper/pruner``: a ``_target_`` and its
        arguments. The pruner stops jobs while they train, if there is only one objective.
    seed
        Seed of the sampler. None means another search each time.
    storage
        Address of a database, such as ``sqlite:///study.db``, in which several processes share a
        study. None means a file in the sweep's folder.
    study_name
        Name of the study in ``storage``. None means that Optuna chooses a name.
    """

    params: dict[str, Any] | None = None
    n_trials: int = 20
    n_jobs: int = 1
    objectives: tuple[str, ...] = ()
    sampler: dict[str, Any] | None = None
    pruner: dict[str, Any] | None = None
    seed: int | None = 0
    storage: str | None = None
    study_name: str | None = None

    def __post_init__(self) -> None:
        for name in ("n_trials", "n_jobs"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"hydra.sweeper.{name}={value}: give 1 or more.")
