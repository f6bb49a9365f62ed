"""Timing in alternating rounds, ratios within a round, and the table of results."""

import os
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import cv2
import numpy as np
import torch
from threadpoolctl import threadpool_limits

Name = TypeVar("Name")

HEADER = ("case", "ours", "comparison", "ratio", "goal", "reached")
#: Widths of the part's name and of the columns on a terminal, where each row is printed at once.
WIDTHS = (14, 46, 26, 58, 24, 8, 7)


@dataclass(frozen=True)
class Mark:
    """Goal for a ratio: ``at_least`` against another program, or ``at_most`` against a bound."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        signs = (("≥", self.at_least), ("≤", self.at_most))
        return ", ".join(f"{sign} {value:g}" for sign, value in signs if value is not None)

    def reached(self, value: float) -> bool:
        low = -np.inf if self.at_least is None else self.at_least
        return bool(low <= value <= (np.inf if self.at_most is None else self.at_most))


@dataclass(frozen=True)
class Line:
    """A row of the table: what was measured, against what, and whether the goal is reached.

    ``ratios`` has one value for each round. Their median is compared with the mark.
    """

    case: str
    ours: str
    compared: str
    ratios: Sequence[float]
    mark: Mark | None = None

    def cells(self) -> tuple[str, ...]:
        said = ""
        if self.mark:
            said = "yes" if self.mark.reached(float(np.median(self.ratios))) else "no"
        mark = str(self.mark or "")
        return self.case, self.ours, self.compared, spread(self.ratios), mark, said


class Part(Protocol):
    """A module of this package that measures one part."""

    __doc__: str

    def lines(self, arguments: Namespace) -> Iterator[Line]:
        """Measure, and yield rows; ``arguments`` has ``quick``, ``rounds`` and ``data``."""
        ...


def table(rows: Sequence[Sequence[str]], widths: Sequence[int] | None = None) -> str:
    """Markdown table. The first row is the header. ``widths`` default to those of the widest cells.

    >>> print(table([("case", "ratio"), ("whole", "2.00")]))
    | case  | ratio |
    |-------|-------|
    | whole | 2.00  |
    """
    widths = widths or [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = "|".join("-" * (width + 2) for width in widths)
    first, *others = (row(cells, widths) for cells in rows)
    return "\n".join((first, f"|{rule}|", *others))


def row(cells: Sequence[str], widths: Sequence[int] = WIDTHS) -> str:
    padded = (f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def spread(values: Sequence[float]) -> str:
    """The median and the range.

    >>> spread([3.0, 1.0, 2.0])
    '2.00 (1.00 to 3.00)'
    """
    low, middle, high = np.percentile(values, [0, 50, 100])
    digits = 0 if middle >= 100 or middle == 0 else 1 if middle >= 20 else 2 if middle >= 0.1 else 4
    numbers = [f"{value:,.{digits}f}" for value in (middle, low, high)]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})" if len(values) > 1 else numbers[0]


def milliseconds(seconds: Sequence[float]) -> str:
    return f"{spread([1000 * value for value in seconds])} ms"


def over(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """The ratio of each round."""
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def alternate(
    functions: Mapping[Name, Callable[[], object]],
    rounds: int,
    least: float = 0.05,
    warm: bool = True,
) -> dict[Name, list[float]]:
    """Seconds that each function takes in each round.

    A round calls each function once, one after the other, so that other load on the machine slows
    all of them alike. Every second round has the reverse order, because each function finds memory
    and caches as the previous one left them.

    Before the first round, each function is called twice: to warm up, and to see how long it takes.
    A function that takes less than ``least`` seconds is repeated within a round, and the mean
    counts. Without ``warm``, there is no warm-up and no repetition; use this for functions that
    take many seconds.
    """
    repeats = {name: repetitions(f, least) if warm else 1 for name, f in functions.items()}
    times: dict[Name, list[float]] = {name: [] for name in functions}
    forwards = list(functions.items())
    for number in range(rounds):
        for name, function in reversed(forwards) if number % 2 else forwards:
            count = repeats[name]
            taken = seconds(
                lambda function=function, count=count: [function() for _ in range(count)]
            )
            times[name].append(taken / count)
    return times


def repetitions(function: Callable[[], object], least: float) -> int:
    """Number of calls that take about ``least`` seconds, estimated from the second call."""
    function()
    return max(1, round(least / max(seconds(function), 1e-6)))


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Exponent of the power law that fits ``values`` over ``sizes`` best.

    >>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def threads(count: int) -> None:
    """Set the number of threads of OpenCV, torch and numpy's BLAS, at most OMP_NUM_THREADS."""
    count = min(count, int(os.environ.get("OMP_NUM_THREADS", count)))
    cv2.setNumThreads(count)
    torch.set_num_threads(count)
    threadpool_limits(count, user_api="blas")
