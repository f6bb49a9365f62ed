"""Runs that differ in fold and seed alone, and the mean of their scores."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unet_exp.configuration.tree import differences
from unet_exp.evaluation.statistics import statistics
from unet_exp.records.run_folder import RunFolder
from unet_exp.records.sweep import Sweep
from unet_exp.runs.resume import fixed

#: Scores are averaged over these settings. Runs that differ in others form separate groups.
REPEATS = ("dataset.fold", "seed")
#: Settings that scores depend on, besides those in ``resume.FIXED``.
FURTHER = ("trainer", "metric", "inference", "postprocessing")


@dataclass
class ScoredRun:
    """A run, and what scoring it gave: scores, or an error."""

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


@dataclass(frozen=True)
class Group:
    """Scored runs that differ in fold and seed alone, and the settings that set them apart."""

    settings: dict[str, Any]
    runs: list[ScoredRun]

    def over_runs(self, kind: str) -> dict[str, float]:
        """Return "mean", "std" (n - 1) or "median" of each score over the runs.

        >>> from pathlib import Path
        >>> run = RunFolder(Path("0"))
        >>> runs = [ScoredRun("0", run, scores={"seg": score}) for score in (0.5, 0.75)]
        >>> Group({}, runs).over_runs("mean")
        {'seg': 0.625}
        """
        names = dict.fromkeys(name for run in self.runs for name in run.scores)
        columns = {name: [run.scores.get(name, math.nan) for run in self.runs] for name in names}
        return {name: statistics(values)[kind] for name, values in columns.items()}


def group_runs(runs: Sequence[ScoredRun]) -> tuple[list[str], list[Group]]:
    """Return the settings in which runs differ, and the runs grouped by all but fold and seed."""
    keys = differing_keys([settings_of(run.config) for run in runs])
    groups: dict[str, Group] = {}
    for run in runs:
        settings = run.settings(key for key in keys if key not in REPEATS)
        groups.setdefault(repr(settings), Group(settings, [])).runs.append(run)
    return keys, list(groups.values())


def group_jobs(sweep: Sweep) -> list[Group]:
    """Group the ranked jobs of a sweep by all settings but fold and seed, the best mean first.

    The monitored score is among the scores of each job, under the sweep's name for it.
    """
    keys = [key for key in sweep.parameters if key not in REPEATS]
    ranked = {job.name for job in sweep.ranked}
    groups: dict[tuple[str | None, ...], Group] = {}
    for job in (job for job in sweep.jobs if job.name in ranked):
        settings = {key: job.values.get(key) for key in keys}
        scores = {**job.scores, sweep.monitor: job.score or 0.0}
        group = groups.setdefault(tuple(settings.values()), Group(settings, []))
        group.runs.append(ScoredRun(job.name, RunFolder(job.folder), scores=scores))
    return sorted(
        groups.values(),
        key=lambda group: group.over_runs("mean")[sweep.monitor],
        reverse=sweep.mode == "max",
    )


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that scores depend on."""
    return {**fixed(dict(config)), **{key: config[key] for key in FURTHER if key in config}}


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys at which configurations differ.

    Of several keys that always have equal values (``loader.seed`` follows ``seed``), only the
    shortest is returned; of parts of different types, only ``_target_``.

    >>> differing_keys([{"seed": s, "loader": {"seed": s}} for s in (0, 1)])
    ['seed']
    >>> differing_keys([{"model": {"_target_": f"a.{name}", name: 1}} for name in ("UNet", "N4")])
    ['model._target_']
    """
    keys = dict.fromkeys(
        key
        for number, two in enumerate(configs)
        for one in configs[:number]
        for key in keys_between(one, two)
    )
    first: dict[tuple[str, str], str] = {}
    for key in sorted(keys, key=lambda key: key.count(".")):
        values = repr([value_at(config, key) for config in configs])
        first.setdefault((key.rpartition(".")[2], values), key)
    return [key for key in keys if key in first.values()]


def keys_between(one: Mapping[str, Any], two: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys at which two configurations differ; of parts of two types only the type."""
    keys = [key for key, _, _ in differences(one, two)]
    types = [key for key in keys if key.endswith("_target_")]
    for key in keys:
        parts = (name for name in types if name != key)
        if not any(key.startswith(name.removesuffix("_target_")) for name in parts):
            yield key


def value_at(config: Mapping[str, Any], key: str) -> Any:
    """Return the value of a dotted key; None if there is none."""
    node: Any = config
    for name in key.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


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


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return for each key its last part, or the whole key where that is not unique.

    >>> short_names(["model.depth", "optimizer.lr", "loss.lr"])
    {'model.depth': 'depth', 'optimizer.lr': 'optimizer.lr', 'loss.lr': 'loss.lr'}
    """
    last = [key.rpartition(".")[2] for key in keys]
    return {k: name if last.count(name) == 1 else k for k, name in zip(keys, last, strict=True)}
