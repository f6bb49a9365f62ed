"""Determine the jobs of a sweep from its command line."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from unet_exp.configuration.errors import explain
from unet_exp.configuration.overrides import OF_SWEEP
from unet_exp.configuration.tree import is_under
from unet_exp.records.sweep_folder import Job


class SweepError(ValueError):
    """A sweep cannot be run, or has failed."""


@dataclass(frozen=True)
class SweepOverrides:
    """The overrides of a sweep: those that all jobs share, and those with several values."""

    common: list[str]
    swept: dict[str, Override]

    def combinations(self) -> list[tuple[str, ...]]:
        """Return the overrides of each combination of values; the last key changes fastest.

        Raises SweepError if an override is an interval, which has no single values.
        """
        return list(itertools.product(*map(single_overrides, self.swept.values())))

    def single(self) -> set[str]:
        """Return every override that a job of this sweep may have."""
        swept = (one for one in self.swept.values() if one.is_discrete_sweep())
        return {*self.common, *(text for one in swept for text in single_overrides(one))}


def split_overrides(
    arguments: Sequence[str],
    params: Mapping[str, Any],
    swept_before: Sequence[str] = (),
    loader: Any = None,
) -> SweepOverrides:
    """Split overrides into those that all jobs share and those with several values.

    Parameters
    ----------
    arguments
        Overrides of the command line.
    params
        Values by key from a preset. An override of the command line replaces them.
    swept_before
        Keys in which the jobs of a resumed sweep differ. An override of such a key belongs to a job
        even if it has a single value.
    loader
        Hydra's config loader, which distinguishes a config group from a value.

    >>> found = split_overrides(["dataset=hela", "seed=0,1"], {"seed": 5, "model.depth": "3,4"})
    >>> found.common, found.combinations()[:2]
    (['dataset=hela'], [('seed=0', 'model.depth=3'), ('seed=0', 'model.depth=4')])
    """
    texts = [*(f"{key}={value}" for key, value in params.items()), *arguments]
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(texts)
    last = {override.get_key_element(): override for override in overrides}
    swept = {k: one for k, one in last.items() if one.is_sweep_override() or k in swept_before}
    common = [
        str(one.input_line)
        for key, one in last.items()
        if key not in swept and not is_under(one.key_or_group, OF_SWEEP)
    ]
    return SweepOverrides(common, swept)


def single_overrides(override: Override) -> list[str]:
    """Return an override of one value for each value of an override.

    >>> parse = OverridesParser.create().parse_override
    >>> single_overrides(parse("optimizer.lr=1e-3,true")), single_overrides(parse("a=1e-3"))
    (['optimizer.lr=0.001', 'optimizer.lr=True'], ['a=0.001'])
    """
    key = override.get_key_element()
    if override.is_delete():
        return [str(override.input_line)]
    if not override.is_sweep_override():
        # The text is the same as in a list of values, so that the job is recognised.
        return [f"{key}={override.get_value_element_as_str()}"]
    if not override.is_discrete_sweep():
        raise SweepError(
            f"{override.input_line} names no single values. Give a list, such as {key}=1,2,3 or "
            f"{key}=range(1,4); or search the interval with hydra/sweeper=optuna."
        )
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def identity(overrides: Sequence[str]) -> frozenset[str]:
    """Return what identifies a job: its overrides in any order."""
    return frozenset(overrides)


def plan_jobs(combinations: Sequence[tuple[str, ...]], known: Sequence[Job]) -> list[Job]:
    """Return all jobs of a sweep: the known ones first, then a new one for each other combination.

    >>> before = [Job("0", ("seed=0",))]
    >>> [str(job) for job in plan_jobs([("seed=1",), ("seed=0",)], before)]
    ['job 0 (seed=0)', 'job 1 (seed=1)']
    """
    jobs = {identity(job.overrides): job for job in known}
    number = max((int(job.folder) + 1 for job in known if job.folder.isdecimal()), default=0)
    for overrides in combinations:
        if identity(overrides) not in jobs:
            jobs[identity(overrides)] = Job(str(number), tuple(overrides))
            number += 1
    return list(jobs.values())


def refusal(job: Job, error: Exception) -> SweepError:
    """Return the error that refuses a whole sweep because of one job."""
    name, reason = str(job), explain(error, "train")
    end = "" if reason.endswith((".", "?")) else "."
    return SweepError(f"{name[0].upper()}{name[1:]}: {reason}{end} No job was started.")
