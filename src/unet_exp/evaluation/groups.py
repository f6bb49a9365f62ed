"""What differs between runs, and mean and standard deviation over those that are alike."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unet_exp.evaluation.statistics import statistics
from unet_exp.runs.listing import Run
from unet_exp.runs.resume import fixed

#: Over these settings a mean is taken; runs that differ in others are groups of their own.
REPEATS = ("dataset.fold", "seed")
#: Settings that scores depend on, besides those that ``resume.FIXED`` names.
FURTHER = ("trainer", "metric", "inference", "postprocessing")


@dataclass(frozen=True)
class Group:
    """Scored runs that differ in fold and seed alone, and the settings that other groups lack."""

    settings: dict[str, Any]
    runs: list[Run]

    def over_runs(self, kind: str) -> dict[str, float]:
        """Return "mean", "std" (n - 1) or "median" of each score over the runs.

        >>> from pathlib import Path
        >>> runs = [Run(name, Path(), scores={"seg": s}) for name, s in (("0", 0.5), ("1", 0.75))]
        >>> Group({}, runs).over_runs("mean")
        {'seg': 0.625}
        """
        names = dict.fromkeys(name for run in self.runs for name in run.scores)
        columns = {name: [run.scores.get(name, math.nan) for run in self.runs] for name in names}
        return {name: statistics(values)[kind] for name, values in columns.items()}


def grouped(runs: Sequence[Run]) -> tuple[list[str], list[Group]]:
    """Return the settings in which runs differ, and the runs grouped by all but fold and seed."""
    configs = [settings_of(run.config) for run in runs]
    keys = differing(configs)
    groups: dict[str, Group] = {}
    for run, config in zip(runs, configs, strict=True):
        settings = {key: value_at(config, key) for key in keys if key not in REPEATS}
        groups.setdefault(repr(settings), Group(settings, [])).runs.append(run)
    return keys, list(groups.values())


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that scores depend on."""
    return {**fixed(dict(config)), **{key: config[key] for key in FURTHER if key in config}}


def differing(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the settings in which configurations differ.

    Where several take one value from another (``loader.seed`` from ``seed``) only the shortest
    is named; of parts of different types only the type.

    >>> differing([{"seed": s, "loader": {"seed": s}, "model": {"depth": 4}} for s in (0, 1)])
    ['seed']
    >>> differing([{"model": {"_target_": f"a.{name}", name: 1}} for name in ("UNet", "N4")])
    ['model._target_']
    """
    keys = dict.fromkeys(
        key for place, two in enumerate(configs) for one in configs[:place]
        for key in unequal(one, two)
    )  # fmt: skip
    first: dict[tuple[str, str], str] = {}
    for key in sorted(keys, key=lambda key: key.count(".")):
        values = repr([value_at(config, key) for config in configs])
        first.setdefault((key.rpartition(".")[2], values), key)
    return [key for key in keys if key in first.values()]


def unequal(one: Mapping[str, Any], two: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Yield the dotted keys at which two configurations differ."""
    target = "_target_"
    names = dict.fromkeys([*one, *two]) if one.get(target) == two.get(target) else [target]
    for name in names:
        old, new = one.get(name), two.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from unequal(old, new, f"{above}{name}.")
        elif old != new:
            yield f"{above}{name}"


def value_at(config: Mapping[str, Any], key: str) -> Any:
    """Return the value of a dotted key; None where there is none.

    >>> value_at({"model": {"depth": 4}}, "model.depth"), value_at({"model": 5}, "model.depth")
    (4, None)
    """
    node: Any = config
    for name in key.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def as_overrides(settings: Mapping[str, Any]) -> str:
    """Write settings as they are given on the command line, types by their name.

    >>> as_overrides({"model._target_": "unet_exp.models.unet.UNet", "dataset.fold": 1})
    'model=UNet dataset.fold=1'
    """
    words = []
    for key, value in settings.items():
        part, _, name = key.rpartition(".")
        typed = name == "_target_"
        words.append(f"{part}={str(value).rpartition('.')[2]}" if typed else f"{key}={value}")
    return " ".join(words)


def labels(keys: Sequence[str]) -> dict[str, str]:
    """Name keys by as many of their last parts as tell them apart.

    >>> labels(["model.depth", "optimizer.lr", "loss.lr"])
    {'model.depth': 'depth', 'optimizer.lr': 'optimizer.lr', 'loss.lr': 'loss.lr'}
    """
    last = [key.rpartition(".")[2] for key in keys]
    return {k: name if last.count(name) == 1 else k for k, name in zip(keys, last, strict=True)}
