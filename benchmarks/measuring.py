"""What the benchmarks share: rounds that alternate, ratios within a round, one form of table."""

import os
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from threadpoolctl import threadpool_limits

HEADER = ("case", "ours", "compared", "ratio", "to reach", "")
#: Of the part's name and the columns, on a screen, where a row is printed before the next is known.
WIDTHS = (14, 46, 26, 50, 24, 8, 3)


@dataclass(frozen=True)
class Mark:
    """The ratio to reach: ``at_least`` so much faster than a peer, or ``at_most`` a floor's."""

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
    """A row of the table: what was measured, against what, and whether it is as it should be.

    ``ratios`` are one a round; the mark is compared with their median.
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
    """A module of this package that is run by its name."""

    __doc__: str

    def lines(self, arguments: Namespace) -> Iterator[Line]:
        """Measure: ``arguments`` has ``quick``, ``rounds`` and ``data``, a folder."""
        ...


def table(rows: Sequence[Sequence[str]], widths: Sequence[int] | None = None) -> str:
    """Markdown, with a header first; each column as wide as its widest cell, or as said.

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
    functions: Mapping[str, Callable[[], object]],
    rounds: int,
    least: float = 0.05,
    warm: bool = True,
) -> dict[str, list[float]]:
    """Seconds that each function takes, once a round, one after the other.

    So a busy machine slows all of a round alike. Every second round goes backwards, since each
    function finds memory and caches as the one before left them.

    Before the first round each is called twice, uncounted: to prepare kernels and caches, and to
    see how long it takes. What takes less than ``least`` seconds is repeated within a round, and a
    round's number is the mean. Without ``warm`` there are neither calls before nor repetitions:
    for what takes many seconds.
    """
    repeats = {name: repetitions(f, least) if warm else 1 for name, f in functions.items()}
    times: dict[str, list[float]] = {name: [] for name in functions}
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
    """How often a function must be called to take ``least`` seconds, by its second call."""
    function()
    return max(1, round(least / max(seconds(function), 1e-6)))


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """How ``values`` grow: the power of ``sizes`` that fits them best.

    >>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def threads(count: int) -> None:
    """Let OpenCV, torch and numpy's BLAS compute on so many threads, at most OMP_NUM_THREADS."""
    count = min(count, int(os.environ.get("OMP_NUM_THREADS", count)))
    cv2.setNumThreads(count)
    torch.set_num_threads(count)
    threadpool_limits(count, user_api="blas")
