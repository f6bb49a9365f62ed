"""Optuna's sampler and pruner, built from their options in ``conf/hydra/sweeper/``."""

import inspect
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
from hydra.utils import get_object
from omegaconf import DictConfig
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from unet_exp.configuration.objects import build
from unet_exp.sweeps.plan import SweepError
from unet_exp.sweeps.settings import SearchSettings


class SamplerOfTrials(BaseSampler):
    """Sample each trial with a new sampler, whose seed follows from the number of the trial.

    So an interrupted search gives the same result, and sweeps that share a study never draw with
    the same seed.
    """

    def __init__(self, settings: SearchSettings) -> None:
        self.settings = settings
        self.number, self.sampler = 0, sampler_of_trial(settings, 0)

    def of(self, trial: FrozenTrial) -> BaseSampler:
        """Return the sampler of a trial."""
        if trial.number != self.number:
            self.number = trial.number
            self.sampler = sampler_of_trial(self.settings, trial.number)
        return self.sampler

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Prepare a trial."""
        self.of(trial).before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters that are sampled together."""
        return self.of(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return values of these parameters."""
        return self.of(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return a value of another parameter."""
        return self.of(trial).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Conclude a trial."""
        self.of(trial).after_trial(study, trial, state, values)


def sampler_of_trial(settings: SearchSettings, number: int) -> BaseSampler:
    """Build the sampler of one trial.

    Its seed is the seed of the search plus the number of the trial, unless the option has a seed.
    """
    seed = None if settings.seed is None else settings.seed + number
    return built("sampler", settings.sampler, BaseSampler, seed=seed)


def built(kind: str, option: Any, base: type, **extra: Any) -> Any:
    """Build the sampler or the pruner that an option names.

    Parameters
    ----------
    kind
        ``sampler`` or ``pruner``.
    base
        Optuna's base class for this kind.
    extra
        Arguments to pass if the class accepts them and the option does not have them.

    Raises SweepError if the option names no class, or the class refuses its values.
    """
    if not isinstance(option, DictConfig) or "_target_" not in option:
        raise SweepError(
            f"hydra.sweeper.{kind}={option} is no option. Choose one by "
            f"hydra/sweeper/{kind}=NAME. Its arguments stand below hydra.sweeper.{kind}."
        )
    try:
        known = inspect.signature(get_object(option["_target_"])).parameters
        more = {key: extra[key] for key in extra if key in known and key not in option}
        with quiet_optuna():
            found = build(option, **more)
        if not isinstance(found, base):
            raise TypeError(f"it is no {base.__name__}")
        return found
    except Exception as error:
        name = str(option["_target_"]).rpartition(".")[2]
        raise SweepError(
            f"hydra.sweeper.{kind}: {name} cannot be built ({error.__cause__ or error})."
        ) from error


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Silence Optuna's own log of each trial; the table of jobs shows more."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
