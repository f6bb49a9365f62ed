"""Report the gain of a tuning, and the overrides that use its values in another command."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from hydra.core.hydra_config import HydraConfig

from unet_exp.configuration.overrides import key_of
from unet_exp.configuration.tree import is_under
from unet_exp.training.tuned_postprocessing import TunedPostprocessing


def tuning_record(tuned: TunedPostprocessing) -> dict[str, Any]:
    """Return all results of a tuning as plain data."""
    found = tuned.tuning
    return {
        "measure": tuned.score,
        "chosen": found.chosen,
        "before": found.before,
        "after": found.after,
        "held_out": found.held_out,
        "tried": found.tried,
        "scores": {name: asdict(gain) for name, gain in tuned.gains.items()},
        "overrides": overrides(given_overrides(), found.chosen),
    }


def tuning_report(tuned: TunedPostprocessing) -> list[str]:
    """Return lines of text with the chosen values, their gain, and the overrides to use them."""
    if not tuned.tuning.chosen:
        return tuned.report()
    use = " ".join(overrides(given_overrides(), tuned.tuning.chosen))
    return [*tuned.report(), f"  to use it: {use}"]


def given_overrides() -> list[str]:
    """Return the overrides of postprocessing in the command line."""
    task = HydraConfig.get().overrides.task
    return [text for text in task if is_under(key_of(text), ["postprocessing"])]


def overrides(given: Iterable[str], chosen: dict[str, Any]) -> list[str]:
    """Combine the given overrides of postprocessing with the chosen parameters.

    >>> overrides(["++postprocessing.threshold=0.3"], {"threshold": 0.4, "min_size": 9})
    ['postprocessing.threshold=0.4', 'postprocessing.min_size=9']
    >>> overrides(["postprocessing=watershed"], {"threshold": 0.4})
    ['postprocessing=watershed', 'postprocessing.threshold=0.4']
    """
    new = {f"postprocessing.{name}": value for name, value in chosen.items()}
    kept = [text.lstrip("+") for text in given if key_of(text) not in new]
    return [*kept, *(f"{key}={value}" for key, value in new.items())]
