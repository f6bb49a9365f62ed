"""From the words of a command line to what Optuna searches, and what of it to try beforehand."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from unet_exp.secrets.masking import masked_word
from unet_exp.sweeps.plan import SweepError, values

#: Every combination is rehearsed if there are at most so many.
ALL = 64


def distribution(word: Override) -> BaseDistribution:
    """Return what a word with several values means to a search.

    ``a,b`` and ``choice(a,b)`` are values without order, ``range(1,9,2)`` steps of a number (the
    end is not among them, as everywhere in Hydra), ``interval(0,1)`` any number between, and
    ``int(interval(1,8))`` any whole one. ``tag(log,interval(1e-5,1e-1))`` is searched on a
    logarithmic scale.

    >>> from hydra.core.override_parser.overrides_parser import OverridesParser
    >>> parse = OverridesParser.create().parse_override
    >>> distribution(parse("optimizer.lr=tag(log,interval(1e-5,1e-1))"))
    FloatDistribution(high=0.1, log=True, low=1e-05, step=None)
    >>> distribution(parse("model.depth=range(2,7,2)"))
    IntDistribution(high=6, log=False, low=2, step=2)

    Raises
    ------
    SweepError
        If an interval has no extent, or a logarithm none at its lower end; or if a value has a
        secret, which a study would keep.
    """
    if masked_word(str(word.input_line)) != word.input_line:
        raise SweepError(
            f"{word.get_key_element()} has a secret in its values, and a study keeps those that it "
            "tries. Give it one value, or let the secret be looked up: ${oc.env:NAME}."
        )
    value, log = word.value(), is_log(word)
    if isinstance(value, IntervalSweep):
        low, high = value.start, value.end
        if low is None or high is None or not low < high or (log and low <= 0):
            raise SweepError(
                f"{word.input_line}: give two numbers, the smaller one first"
                f"{', above 0 for a logarithm' if log else ''}."
            )
        if isinstance(low, int) and isinstance(high, int):
            return IntDistribution(low, high, log=log)
        return FloatDistribution(low, high, log=log)
    if isinstance(value, RangeSweep) and not value.shuffle:
        numbers = [float(text.partition("=")[2]) for text in values(word)]
        step = value.step
        if isinstance(step, int) and all(number.is_integer() for number in numbers):
            low, high = sorted((int(numbers[0]), int(numbers[-1])))
            return IntDistribution(low, high, step=abs(step))
    return CategoricalDistribution([text.partition("=")[2] for text in values(word)])


def is_log(word: Override) -> bool:
    """Tell whether a word is to be searched on a logarithmic scale."""
    value = word.value()
    return isinstance(value, ChoiceSweep | RangeSweep | IntervalSweep) and "log" in value.tags


def words_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return values as the words of a job.

    >>> words_of({"model.depth": 3, "optimizer": "sgd", "optimizer.lr": 0.00012345678})
    ('model.depth=3', 'optimizer=sgd', 'optimizer.lr=0.00012345678')
    """
    return tuple(f"{key}={value}" for key, value in params.items())


def corners(space: Mapping[str, BaseDistribution]) -> list[tuple[str, ...]]:
    """Return the words of what to rehearse: all combinations of few, else each value once.

    Of an interval these are its two ends.

    >>> space = {"a": IntDistribution(1, 9), "b": CategoricalDistribution(["x", "y"])}
    >>> corners(space)
    [('a=1', 'b=x'), ('a=1', 'b=y'), ('a=9', 'b=x'), ('a=9', 'b=y')]
    """
    ends = {key: extremes(one) for key, one in space.items()}
    if math.prod(map(len, ends.values())) <= ALL:
        tried = [
            dict(zip(ends, values, strict=True)) for values in itertools.product(*ends.values())
        ]
    else:
        longest = max(map(len, ends.values()))
        tried = [
            {key: values[min(place, len(values) - 1)] for key, values in ends.items()}
            for place in range(longest)
        ]
    return [words_of(params) for params in tried]


def extremes(one: BaseDistribution) -> list[Any]:
    """Return the choices, or the ends of an interval."""
    if isinstance(one, CategoricalDistribution):
        return list(one.choices)
    if isinstance(one, IntDistribution | FloatDistribution):
        return [one.low, one.high]
    raise TypeError(f"{type(one).__name__} has no extremes.")
