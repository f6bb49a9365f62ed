"""Compare settings on the same folds and seeds, which removes their effect on the score."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unet_exp.numbers import format_score, tidy
from unet_exp.records.groups import REPEATS, Group, group_jobs, short_names
from unet_exp.records.sweep import Run, Sweep
from unet_exp.reports.chart import Axis, Chart, Series, words

#: Largest number of settings that are compared with the best ones.
MOST = 12
#: Probability that an interval covers the true mean difference.
COVERED = 0.95


@dataclass(frozen=True)
class Difference:
    """The mean difference of a score over ``count`` pairs, and its interval."""

    mean: float
    low: float
    high: float
    count: int


def paired(differences: Sequence[float]) -> Difference:
    """Return the mean of differences with the 95 % interval of Student's t.

    >>> found = paired([0.01, 0.02, 0.03])
    >>> round(found.mean, 4), round(found.low, 4), round(found.high, 4)
    (0.02, -0.0048, 0.0448)
    """
    from scipy.stats import t

    count = len(differences)
    mean = math.fsum(differences) / count
    spread = math.sqrt(math.fsum((one - mean) ** 2 for one in differences) / (count - 1))
    reach = float(t.ppf((1 + COVERED) / 2, count - 1)) * spread / math.sqrt(count)
    return Difference(mean, mean - reach, mean + reach, count)


def pairs(sweep: Sweep) -> tuple[list[Chart], list[tuple[str, tuple[str, ...]]]]:
    """Compare the settings with the best mean with the others, on the folds and seeds of both.

    Returns a chart and the rows of a table: the settings, and their difference, interval and number
    of pairs.
    """
    groups = group_jobs(sweep)
    names = short_names(sweep.parameters)
    if len(groups) < 2:
        return [], []
    best = by_repeat(groups[0], sweep.monitor)
    found: dict[str, Difference] = {}
    for group in groups[1:]:
        other = by_repeat(group, sweep.monitor)
        differences = [other[key] - best[key] for key in best if key in other]
        if len(differences) > 1 and len(found) < MOST:
            found[label(group, names)] = paired(differences)
    if not found:
        return [], []
    ends = [value for one in found.values() for value in (one.low, one.high)]
    low, high = min(0, *ends), max(0, *ends)
    margin = 0.05 * (high - low) or 0.01
    chart = Chart(
        f"Difference to {label(groups[0], names)}",
        Axis(f"difference in {words(sweep.monitor)}", (low - margin, high + margin)),
        Axis("settings", kind="words"),
        [
            Series(
                "interval", [one.low for one in found.values()], list(found), "intervals",
                [one.high for one in found.values()], 5,
            ),
            Series("mean", [one.mean for one in found.values()], list(found), "dots", colour=0),
        ],
        {"equal": 0.0},
        wide=True,
        table=False,
    )  # fmt: skip
    rows = [
        (name, (signed(one.mean), f"{signed(one.low)} to {signed(one.high)}", str(one.count)))
        for name, one in found.items()
    ]
    return [chart], rows


def by_repeat(group: Group[Run], monitor: str) -> dict[tuple[str | None, ...], float]:
    """Return the scores of a group by fold and seed."""
    return {
        tuple(run.values.get(key) for key in REPEATS): run.scores[monitor] for run in group.runs
    }


def label(group: Group[Run], names: Mapping[str, str]) -> str:
    """Return the settings of a group as words, by their short names."""
    given: dict[str, Any] = {key: v for key, v in group.settings.items() if v is not None}
    return " ".join(f"{names[key]}={tidy(value)}" for key, value in given.items()) or "all"


def signed(value: float) -> str:
    """Return a difference with its sign.

    >>> signed(0.0123), signed(-0.0123)
    ('+0.0123', '-0.0123')
    """
    return f"{'+' if value > 0 else ''}{format_score(value)}"
