"""Make the search space of Optuna from the overrides of a command line."""

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
from unet_exp.sweeps.plan import SweepError, single_overrides

#: Largest number of combinations that are all rehearsed.
ALL = 64


def distribution(override: Override) -> BaseDistribution:
    """Return the distribution from which a search takes the values of an override.

    ``a,b`` and ``choice(a,b)`` are values without order. ``range(1,9,2)`` are numbers in steps,
    without the end, as everywhere in Hydra. ``interval(0,1)`` is any number in between, and
    ``int(interval(1,8))`` any whole number. ``tag(log,interval(1e-5,1e-1))`` is searched on a
    logarithmic scale.

    >>> from hydra.core.override_parser.overrides_parser import OverridesParser
    >>> parse = OverridesParser.create().parse_override
    >>> distribution(parse("optimizer.lr=tag(log,interval(1e-5,1e-1))"))
    FloatDistribution(high=0.1, log=True, low=1e-05, step=None)
    >>> distribution(parse("model.depth=range(2,7,2)"))
    IntDistribution(high=6, log=False, low=2, step=2)

    Raises SweepError if an interval is empty, or not positive on a logarithmic scale; or if a value
    holds a secret, which a study would store.
    """
    if masked_word(str(override.input_line)) != override.input_line:
        raise SweepError(
            f"{override.get_key_element()} has a secret in its values, and a study keeps those "
            "that it tries. Give it one value, or let the secret be looked up: ${oc.env:NAME}."
        )
    value, log = override.value(), is_log(override)
    if isinstance(value, IntervalSweep):
        low, high = value.start, value.end
        if low is None or high is None or not low < high or (log and low <= 0):
            raise SweepError(
                f"{override.input_line}: give two numbers, the smaller one first"
                f"{', above 0 for a logarithm' if log else ''}."
            )
        if isinstance(low, int) and isinstance(high, int):
            return IntDistribution(low, high, log=log)
        return FloatDistribution(low, high, log=log)
    texts = [text.partition("=")[2] for text in single_overrides(override)]
    if isinstance(value, RangeSweep) and not value.shuffle and isinstance(value.step, int):
        first, last = float(texts[0]), float(texts[-1])
        if first.is_integer():
            low, high = sorted((int(first), int(last)))
            return IntDistribution(low, high, step=abs(value.step))
    return CategoricalDistribution(texts)


def is_log(override: Override) -> bool:
    """Tell whether an override is searched on a logarithmic scale."""
    value = override.value()
    return isinstance(value, ChoiceSweep | RangeSweep | IntervalSweep) and "log" in value.tags


def overrides_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the overrides for these values.

    >>> overrides_of({"model.depth": 3, "optimizer": "sgd", "optimizer.lr": 0.00012345678})
    ('model.depth=3', 'optimizer=sgd', 'optimizer.lr=0.00012345678')
    """
    return tuple(f"{key}={value}" for key, value in params.items())


def corners(space: Mapping[str, BaseDistribution]) -> list[tuple[str, ...]]:
    """Return the overrides of the jobs to rehearse: all combinations, or each value once.

    An interval is represented by its two ends.

    >>> space = {"a": IntDistribution(1, 9), "b": CategoricalDistribution(["x", "y"])}
    >>> corners(space)
    [('a=1', 'b=x'), ('a=1', 'b=y'), ('a=9', 'b=x'), ('a=9', 'b=y')]
    """
    extremes = [
        one.choices if isinstance(one, CategoricalDistribution) else (one.low, one.high)  # pyright: ignore[reportAttributeAccessIssue]
        for one in space.values()
    ]
    if math.prod(map(len, extremes)) <= ALL:
        tried = itertools.product(*extremes)
    else:
        longest = max(map(len, extremes))
        tried = ([own[min(n, len(own) - 1)] for own in extremes] for n in range(longest))
    return [overrides_of(dict(zip(space, own, strict=True))) for own in tried]
