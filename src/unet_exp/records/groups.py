"""Group runs that differ only in fold and seed, and average their scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from unet_exp.records.statistics import statistics
from unet_exp.records.sweep import Run, Sweep

#: Scores are averaged over these settings. Runs that differ in others form separate groups.
REPEATS = ("dataset.fold", "seed")


class Scored(Protocol):
    """A run with a name and scores."""

    @property
    def name(self) -> str:
        """The name of the run."""
        ...

    @property
    def scores(self) -> Mapping[str, float]:
        """The scores by name."""
        ...


Member = TypeVar("Member", bound=Scored)


@dataclass(frozen=True)
class Group(Generic[Member]):
    """Scored runs that differ only in fold and seed, with the settings of the group."""

    settings: dict[str, Any]
    runs: list[Member]

    def over_runs(self, kind: str) -> dict[str, float]:
        """Return "mean", "std" (n - 1) or "median" of each score over the runs.

        >>> from pathlib import Path
        >>> runs = [Run("0", Path("0"), scores={"seg": score}) for score in (0.5, 0.75)]
        >>> Group({}, runs).over_runs("mean")
        {'seg': 0.625}
        """
        names = dict.fromkeys(name for run in self.runs for name in run.scores)
        columns = {name: [run.scores.get(name, math.nan) for run in self.runs] for name in names}
        return {name: statistics(values)[kind] for name, values in columns.items()}


def group_jobs(sweep: Sweep) -> list[Group[Run]]:
    """Group the ranked jobs of a sweep by all settings except fold and seed, the best mean first.

    The scores of each job include the monitored score, under the name that the sweep uses.
    """
    keys = [key for key in sweep.parameters if key not in REPEATS]
    ranked = {job.name for job in sweep.ranked}
    groups: dict[tuple[str | None, ...], Group[Run]] = {}
    for job in (job for job in sweep.jobs if job.name in ranked):
        settings = {key: job.values.get(key) for key in keys}
        scores = {**job.scores, sweep.monitor: job.score or 0.0}
        group = groups.setdefault(tuple(settings.values()), Group(settings, []))
        group.runs.append(replace(job, scores=scores))
    return sorted(
        groups.values(),
        key=lambda group: group.over_runs("mean")[sweep.monitor],
        reverse=sweep.mode == "max",
    )


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Return for each key its last part, or the whole key if the last part is not unique.

    >>> short_names(["model.depth", "optimizer.lr", "loss.lr"])
    {'model.depth': 'depth', 'optimizer.lr': 'optimizer.lr', 'loss.lr': 'loss.lr'}
    """
    last = [key.rpartition(".")[2] for key in keys]
    return {k: name if last.count(name) == 1 else k for k, name in zip(keys, last, strict=True)}
