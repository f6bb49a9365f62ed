"""Which jobs a command line means."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from unet_exp.configuration.errors import explain
from unet_exp.configuration.overrides import OF_SWEEP, is_under
from unet_exp.records.sweep_folder import Job


class SweepError(ValueError):
    """A sweep that cannot be run, or did not end well."""


@dataclass(frozen=True)
class Words:
    """The words of a sweep: those of every job, and those that name several values."""

    common: list[str]
    swept: dict[str, Override]

    def combinations(self) -> list[tuple[str, ...]]:
        """Return the words of each combination of the values, the last key changing fastest.

        Raises
        ------
        SweepError
            If a word names a range without steps.
        """
        return list(itertools.product(*(values(word) for word in self.swept.values())))

    def texts(self) -> set[str]:
        """Return every single word that a job may have by these words."""
        swept = (word for word in self.swept.values() if word.is_discrete_sweep())
        return {*self.common, *(text for word in swept for text in values(word))}


def parse(
    arguments: Sequence[str],
    params: Mapping[str, Any],
    swept_before: Sequence[str] = (),
    loader: Any = None,
) -> Words:
    """Tell the words of every job from those that name several values.

    Parameters
    ----------
    arguments
        Words of the command line.
    params
        Values by key, of a preset; a word of the command line takes their place.
    swept_before
        Keys whose one value belongs to a job, because other jobs had others.
    loader
        Hydra's, which tells a config group from a value.

    >>> words = parse(["dataset=hela", "seed=0,1"], {"seed": "5,6,7", "model.depth": "3,4"})
    >>> words.common, words.combinations()[:2]
    (['dataset=hela'], [('seed=0', 'model.depth=3'), ('seed=0', 'model.depth=4')])
    """
    texts = [*(f"{key}={value}" for key, value in params.items()), *arguments]
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(texts)
    last = {override.get_key_element(): override for override in overrides}
    own = {key: one for key, one in last.items() if one.is_sweep_override() or key in swept_before}
    common = [
        str(one.input_line)
        for key, one in last.items()
        if key not in own and not is_under(one.key_or_group, OF_SWEEP)
    ]
    return Words(common, own)


def values(word: Override) -> list[str]:
    """Return the words that one word with several values stands for.

    >>> read = OverridesParser.create().parse_override
    >>> values(read("optimizer.lr=1e-3,true")), values(read("optimizer.lr=1e-3"))
    (['optimizer.lr=0.001', 'optimizer.lr=True'], ['optimizer.lr=0.001'])
    """
    key = word.get_key_element()
    if word.is_delete():
        return [str(word.input_line)]
    if not word.is_sweep_override():
        # As it would be written among several, so that it is known for the same.
        return [f"{key}={word.get_value_element_as_str()}"]
    if not word.is_discrete_sweep():
        raise SweepError(
            f"{word.input_line} names no single values. Give a list, such as {key}=1,2,3 or "
            f"{key}=range(1,4); or search the interval with hydra/sweeper=optuna."
        )
    return [f"{key}={value}" for value in word.sweep_string_iterator()]


def identity(overrides: Sequence[str]) -> frozenset[str]:
    """Return what makes a job the same job, whatever the order of its words."""
    return frozenset(overrides)


def planned(combinations: Sequence[tuple[str, ...]], known: Sequence[Job]) -> list[Job]:
    """Return all jobs of a sweep, those that are known already first.

    >>> before = [Job("0", ("seed=0",))]
    >>> [str(job) for job in planned([("seed=1",), ("seed=0",)], before)]
    ['job 0 (seed=0)', 'job 1 (seed=1)']
    """
    jobs = {identity(job.overrides): job for job in known}
    number = max((int(job.folder) + 1 for job in known if job.folder.isdecimal()), default=0)
    for overrides in combinations:
        if identity(overrides) not in jobs:
            jobs[identity(overrides)] = Job(str(number), tuple(overrides))
            number += 1
    return list(jobs.values())


def refused(job: Job, error: Exception) -> SweepError:
    """Return the error that refuses a whole sweep for one of its jobs."""
    name = str(job)
    told = explain(error, "train")
    end = "" if told.endswith((".", "?")) else "."
    return SweepError(f"{name[0].upper()}{name[1:]}: {told}{end} No job was started.")
