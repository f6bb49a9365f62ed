"""Settle the values that are null in a configuration, because they are left to the plan."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.buildable import brief
from unet_exp.configuration.objects import build
from unet_exp.configuration.tree import value_at
from unet_exp.numbers import parse_duration
from unet_exp.planning.fingerprint import Fingerprint, evenly, fingerprint
from unet_exp.planning.plan import (
    UNPLANNED,
    Choice,
    describe,
    grow,
    magnification,
    plan,
    smoothing,
)
from unet_exp.training.checkpoint import CheckpointError, read_content
from unet_exp.weight_maps.class_weights import class_frequencies

log = logging.getLogger(__name__)

SCALE = "inference.scale"
FREQUENCIES = "weight_map.class_frequencies"
#: Lengths that the target sets. The plan changes them for objects of unusual size.
LENGTHS = ("postprocessing.smoothing", "postprocessing.grow")
#: Values that a resumed training takes from its checkpoint.
SETTLED = ("loader.tile", *UNPLANNED, *LENGTHS)
#: Values that a training takes from a checkpoint whose weights initialise it.
OF_THE_NETWORK = tuple(key for key in UNPLANNED if key.startswith("model."))


def settle_plan(cfg: DictConfig, dataset: Any) -> list[str]:
    """Replace each null in ``cfg`` that is left to the plan by a planned value.

    Returns
    -------
    Lines with the facts about the data, and with the planned values and their reasons. The list is
    empty if no value is planned.

    Raises ValueError if ``cfg.plan`` is unknown, and PlanError if no plan fits the data.
    """
    if cfg.plan not in ("auto", "none"):
        raise ValueError(f"plan={cfg.plan} is not known. Choose auto or none.")
    keys = list(unsettled(cfg, UNPLANNED))
    diameter = cfg.dataset.get("object_diameter")
    samples = ()
    if (keys and cfg.plan == "auto") or (SCALE in keys and diameter is not None):
        samples = tuple(one for one in dataset.split("train") if one.labels is not None)
    if not samples:  # the loaders refuse a data set without labels
        for key in keys:
            OmegaConf.update(cfg, key, UNPLANNED[key])
        return []
    found = fingerprint(samples)
    if cfg.plan == "auto":
        planned = plan(found, cfg.loader.get("tile"), cfg.inference.get("scale"), diameter)
    else:
        planned = {key: Choice(value, "plan=none") for key, value in UNPLANNED.items()}
        planned[SCALE] = magnification(found, diameter)
    told = {key: planned[key] for key in keys if key != SCALE or planned[key].value != 1}
    for key in keys:
        OmegaConf.update(cfg, key, planned[key].value)
    told |= settle_lengths(cfg, found, planned[SCALE].value)
    return [
        *describe(found),
        *(f"{key}={choice.value}  ({choice.reason})" for key, choice in told.items()),
    ]


def settle_lengths(cfg: DictConfig, found: Fingerprint, scale: float) -> dict[str, Choice]:
    """Change the lengths that the target sets, if objects are small or images are resized.

    Returns the changed values by their keys.
    """
    changed: dict[str, Choice] = {}
    for key in unsettled(cfg, LENGTHS):
        usual = OmegaConf.select(cfg, key)
        name = key.partition(".")[2]
        choice = smoothing(found, usual) if name == "smoothing" else grow(usual, scale)
        if choice.value != usual:
            changed[key] = choice
            OmegaConf.update(cfg, key, choice.value)
    return changed


def settle_frequencies(cfg: DictConfig, dataset: Any) -> None:
    """Write the frequencies of the classes into ``cfg`` if its weight map balances classes.

    The article balances classes over the training set. The frequencies are kept in the
    configuration, so that later commands weight pixels in the same way. Given frequencies are not
    changed. If there are too many images, evenly spaced ones are counted.
    """
    node = cfg.weight_map
    wanted = node.get("class_balance") and "class_frequencies" in node
    if not wanted or node.class_frequencies is not None:
        return
    samples = [one for one in dataset.split("train") if one.labels is not None]
    if not samples:  # the loaders refuse a data set without labels
        return
    target = build(cfg.target)
    counted = (target.encode(one.labels, one.classes).classes for one in evenly(samples))
    OmegaConf.update(cfg, FREQUENCIES, class_frequencies(counted))


def settle_by_checkpoint(
    cfg: DictConfig, held: Mapping[str, Any], path: Any, keys: Sequence[str] = SETTLED
) -> None:
    """Take each value that ``cfg`` leaves to the plan from the checkpoint of an earlier training.

    Parameters
    ----------
    held
        The configuration that the checkpoint ``path`` records. It may come from a stranger.
    keys
        The values to take.

    Raises CheckpointError if a value there is no number.
    """
    for key in unsettled(cfg, keys):
        value = value_at(held, key)
        if value is None and key == SCALE and isinstance(held.get("inference"), Mapping):
            value = UNPLANNED[SCALE]  # earlier versions resized no images
        if value is None:
            continue
        if type(value) not in (int, float) or not math.isfinite(value):
            raise CheckpointError(
                f"{path} has {key}={brief(value)}, which is no number. Take the checkpoint as "
                f"training wrote it, or give {key}=NUMBER."
            )
        OmegaConf.update(cfg, key, value)
        if key == "trainer.max_steps":
            cfg.trainer.budget = None  # the earlier training has used this time


def settle_by_start(cfg: DictConfig, start: Path | None, weights: Path | None) -> None:
    """Take values from the checkpoint that a training goes on from, or takes its weights from."""
    if start:
        settle_by_checkpoint(cfg, read_content(start)["config"], start)
    if weights:
        settle_by_checkpoint(cfg, read_content(weights)["config"], weights, OF_THE_NETWORK)


def unsettled(cfg: DictConfig, keys: Any) -> Iterator[str]:
    """Yield the keys whose value in ``cfg`` is null or is set by the target."""
    for key in keys:
        group, _, name = key.partition(".")
        node = cfg.get(group)
        if not isinstance(node, DictConfig) or name not in node:
            continue
        if OmegaConf.is_interpolation(node, name) if key in LENGTHS else node[name] is None:
            yield key


def require_one_end(cfg: DictConfig) -> None:
    """Refuse a budget that cannot be read, or that comes with a number of steps.

    Raises ValueError with what to change.
    """
    if cfg.trainer.get("budget") is None:
        return
    parse_duration(str(cfg.trainer.budget), "trainer.budget")
    if cfg.trainer.max_steps is not None:
        raise ValueError(
            f"trainer.budget={cfg.trainer.budget} settles trainer.max_steps, which is given as "
            f"{cfg.trainer.max_steps}. Add trainer.max_steps=null, or leave out the budget."
        )
