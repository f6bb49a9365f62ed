"""Scored runs, grouped by their configurations without fold and seed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unet_exp.configuration.tree import differences, leaves, value_at
from unet_exp.records.groups import REPEATS, Group
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.resume import fixed

#: Settings that scores depend on, in addition to those in ``resume.FIXED``.
FURTHER = ("trainer", "metric", "inference", "postprocessing")


@dataclass
class ScoredRun:
    """A run with its scores, or with the error that occurred."""

    name: str
    folder: RunFolder
    config: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    images: int = 0
    error: str = ""

    def settings(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return the values of dotted keys, None where there is none.

        >>> from pathlib import Path
        >>> run = ScoredRun("0", RunFolder(Path("0")), {"model": {"depth": 4}})
        >>> run.settings(["model.depth", "model.norm", "seed"])
        {'model.depth': 4, 'model.norm': None, 'seed': None}
        """
        return {key: value_at(settings_of(self.config), key) for key in keys}


def group_runs(runs: Sequence[ScoredRun]) -> tuple[list[str], list[Group[ScoredRun]]]:
    """Return the settings in which runs differ, and the runs grouped without fold and seed."""
    keys = differing_keys([settings_of(run.config) for run in runs])
    groups: dict[str, Group[ScoredRun]] = {}
    for run in runs:
        settings = run.settings(key for key in keys if key not in REPEATS)
        groups.setdefault(repr(settings), Group(settings, [])).runs.append(run)
    return keys, list(groups.values())


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that scores depend on."""
    return {**fixed(dict(config)), **{key: config[key] for key in FURTHER if key in config}}


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys at which configurations differ.

    If several keys always have equal values (``loader.seed`` follows ``seed``), only the shortest
    key is returned. If parts have different types, only ``_target_`` is returned.

    >>> differing_keys([{"seed": s, "loader": {"seed": s}} for s in (0, 1)])
    ['seed']
    >>> differing_keys([{"model": {"_target_": f"a.{name}", name: 1}} for name in ("UNet", "N4")])
    ['model._target_']
    """
    keys = dict.fromkeys(key for one, two in pairs(configs) for key in keys_between(one, two))
    first: dict[tuple[str, str], str] = {}
    for key in sorted(keys, key=lambda key: key.count(".")):
        values = repr([value_at(config, key) for config in configs])
        first.setdefault((key.rpartition(".")[2], values), key)
    return [key for key in keys if key in first.values()]


def pairs(
    configs: Sequence[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield pairs of configurations that differ at all keys at which any two differ.

    If all have the same keys and types, each is compared with the first one only. Otherwise, the
    first ones of each kind are also compared with each other.
    """
    firsts: dict[str, Mapping[str, Any]] = {}
    for two in configs:
        kind = repr([(key, v if key.endswith("_target_") else "") for key, v in leaves(two)])
        if kind in firsts:
            yield firsts[kind], two
        else:
            yield from ((one, two) for one in firsts.values())
            firsts[kind] = two


def keys_between(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys at which two configurations differ; if types differ, only the type's key."""
    keys = [key for key, _, _ in differences(one, two)]
    types = [key for key in keys if key.endswith("_target_")]
    for key in keys:
        parts = (name for name in types if name != key)
        if not any(key.startswith(name.removesuffix("_target_")) for name in parts):
            yield key


def as_overrides(settings: Mapping[str, Any]) -> str:
    """Write settings as overrides, with types by their class name.

    >>> as_overrides({"model._target_": "unet_exp.models.unet.UNet", "dataset.fold": 1})
    'model=UNet dataset.fold=1'
    """
    overrides = []
    for key, value in settings.items():
        group, _, name = key.rpartition(".")
        is_type = name == "_target_"
        overrides.append(
            f"{group}={str(value).rpartition('.')[2]}" if is_type else f"{key}={value}"
        )
    return " ".join(overrides)
