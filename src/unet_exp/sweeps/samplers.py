"""Optuna's samplers and pruners by name."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import optuna
from optuna import pruners, samplers

from unet_exp.sweeps.plan import SweepError
from unet_exp.sweeps.settings import SearchSettings

SAMPLERS = {
    "tpe": samplers.TPESampler,
    "random": samplers.RandomSampler,
    "brute_force": samplers.BruteForceSampler,
    "cmaes": samplers.CmaEsSampler,
    "gp": samplers.GPSampler,
    "qmc": samplers.QMCSampler,
    "nsgaii": samplers.NSGAIISampler,
}
PRUNERS = {
    "none": pruners.NopPruner,
    "median": pruners.MedianPruner,
    "percentile": pruners.PercentilePruner,
    "halving": pruners.SuccessiveHalvingPruner,
    "hyperband": pruners.HyperbandPruner,
    "threshold": pruners.ThresholdPruner,
}


class Sampler:
    """Build the sampler anew for each trial, so that a search that was interrupted goes on alike.

    Raises
    ------
    SweepError
        If there is none of this name, or it has no such option.
    """

    def __init__(self, settings: SearchSettings) -> None:
        self.name, self.options, self.seed = (
            settings.sampler,
            settings.sampler_options or {},
            settings.seed,
        )
        self.liar = {"constant_liar": True} if self.name == "tpe" and settings.n_jobs > 1 else {}
        self(0)

    def __call__(self, number: int) -> "samplers.BaseSampler":
        """Return the sampler of a trial; jobs that run side by side should not be alike."""
        # A sequence is one over all trials; other randomness begins anew.
        place = 0 if self.name == "qmc" else number
        seed = None if self.seed is None else self.seed + place
        return chosen("sampler", self.name, SAMPLERS, self.options, seed=seed, **self.liar)


def chosen(
    what: str, name: str, known: Mapping[str, Any], options: Mapping[str, Any], **more: Any
) -> Any:
    """Build the sampler or pruner of a name.

    Raises
    ------
    SweepError
        If there is none of this name, or it has no such option.
    """
    if name not in known:
        raise SweepError(f"hydra.sweeper.{what}={name}: give one of {', '.join(known)}.")
    given = {key: value for key, value in (more | dict(options)).items() if value is not None}
    try:
        with quietly():
            return known[name](**given)
    except (TypeError, ValueError) as error:
        raise SweepError(f"hydra.sweeper.{what}_options do not fit {name}: {error}.") from error


@contextmanager
def quietly() -> Iterator[None]:
    """Silence what Optuna tells of each trial, which the table does better."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.filterwarnings("ignore", message=".*this `step` .* is already reported.*")
            yield
    finally:
        optuna.logging.set_verbosity(before)
