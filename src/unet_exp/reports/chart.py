"""Charts as plain data: Observable Plot draws them in the page, and a table has the numbers."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from unet_exp.files import finite
from unet_exp.numbers import format_short

#: Names of plots and of their curves in plain words.
WORDS = {
    "lr": "learning rate",
    "val": "validation",
    "train": "training",
    "data_wait": "waiting for data",
    "seg": "SEG",
    "det": "DET",
    "iou": "IoU",
    "dice": "Dice",
    "v_rand": "V_rand",
    "v_info": "V_info",
}
#: A score's axis spans at least this much, so that noise does not look like a change.
LEAST_SPAN = 0.1
#: A loss is drawn on a log scale if max / median is at least this.
SPREAD = 20

Number = float | None


@dataclass(frozen=True)
class Axis:
    """An axis: its label, its range, and its scale."""

    label: str = ""
    domain: tuple[float, float] | None = None
    kind: Literal["linear", "log", "words"] = "linear"


@dataclass(frozen=True)
class Series:
    """Points of one colour.

    Attributes
    ----------
    mark
        ``line``; ``dots``; ``bars``; or ``intervals`` from ``x`` to ``x2``. Bars are vertical and
        stacked, from ``x`` to ``x2``; if the y axis has categories, they are horizontal, from 0 to
        ``x``.
    """

    name: str
    x: Sequence[Any]
    y: Sequence[Any]
    mark: Literal["line", "dots", "bars", "intervals"] = "line"
    x2: Sequence[Number] = ()
    colour: int = 0


@dataclass(frozen=True)
class Chart:
    """A chart with one or more series; ``rules`` are marked positions on the x axis."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    rules: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    wide: bool = False
    table: bool = True
    """Whether a table of the numbers follows; otherwise the page shows them in another place."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value is not None for one in self.series for value in one.y)

    def spec(self) -> dict[str, Any]:
        """Return the data from which the page's script draws the chart."""
        return finite(asdict(self))

    def head(self) -> list[str]:
        """Return the header cells of the table of numbers."""
        ends = ["to"] if any(one.x2 for one in self.series) else []
        names = [one.name or self.y.label for one in self.series]
        if self.shared:
            return [self.x.label, *ends, *names]
        return ["", self.x.label, *ends, self.y.label]

    @property
    def shared(self) -> bool:
        """Whether all series have the same positions on the x axis."""
        return all(list(one.x) == list(self.series[0].x) for one in self.series)

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows of the table of numbers."""
        if self.shared:
            first = self.series[0]
            ends = [first.x2] if first.x2 else []
            for row in zip(first.x, *ends, *(one.y for one in self.series), strict=True):
                yield [told(value) for value in row]
            return
        for one in self.series:
            ends = [one.x2] if one.x2 else []
            for row in zip(one.x, *ends, one.y, strict=True):
                yield [one.name, *map(told, row)]


def told(value: Any) -> str:
    """Return a cell of the table of numbers.

    >>> told(0.30000001), told(1200), told(1_234_567.8), told("a"), told(None)
    ('0.3', '1200', '1234568', 'a', '-')
    """
    if isinstance(value, str):
        return value
    large = value is not None and math.isfinite(value) and abs(value) >= 1000
    return f"{value:.0f}" if large else format_short(value)


def words(name: str) -> str:
    """Return the name of a quantity in plain words.

    >>> words("val/v_rand"), words("lr")
    ('V_rand', 'learning rate')
    """
    last = name.rpartition("/")[2]
    return WORDS.get(last, last.replace("_", " "))


def axis_of(name: str, columns: Sequence[Sequence[Number]]) -> Axis:
    """Return the y axis of a quantity, given its values in all series.

    A loss begins at 0, or has a log scale if its first values are far above the others. A score
    between 0 and 1 has a range of at least 0.1: small differences look small.

    >>> axis_of("seg", [[0.91, 0.92]]).domain
    (0.865, 0.965)
    >>> axis_of("loss", [[3.0, 0.02, 0.01]]).kind
    'log'
    """
    values = sorted(v for column in columns for v in column if v is not None and math.isfinite(v))
    if not values:
        return Axis()
    low, high, middle = values[0], values[-1], values[len(values) // 2]
    if "loss" in name or name == "lr":
        if "loss" in name and low > 0 and high >= SPREAD * middle:
            return Axis(kind="log")
        return Axis(domain=(min(0.0, low), 1.05 * high if high > 0 else 1.0))
    if low >= 0 and high <= 1:
        span = max(1.1 * (high - low), LEAST_SPAN)
        start = min(max(0.0, (low + high - span) / 2), 1 - span if span < 1 else 0.0)
        return Axis(domain=(round(start, 6), round(min(1.0, start + span), 6)))
    margin = max(0.05 * (high - low), 0.05 * max(abs(low), abs(high)))
    start = 0.0 if 0 <= low < margin else low - margin
    return Axis(domain=(start, high + margin))
