"""Learning curves: reduce their points, so that they fit on a page, and turn them into charts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from unet_exp.numbers import format_short
from unet_exp.reports.chart import Axis, Chart, Series, axis_of, words

#: Columns of the metrics that are not drawn.
AXES = ("step", "seconds", "epoch", "train/step_loss")
#: The kinds of curves in one chart, and their colours.
KINDS = {"train": 0, "val": 1, "test": 2, "": 3}


def thin_curves(rows: Sequence[Mapping[str, float]], most: int = 200) -> dict[str, Any]:
    """Return steps, seconds and each metric as columns, None where a row lacks a value.

    There is one row for each validation. Every n-th row and the last one are kept, at most
    ``most``.
    """
    rows = [row for row in rows if rounded(row.get("step")) is not None]
    every = max(1, math.ceil(len(rows) / most))
    rows = rows[::-1][::every][::-1]

    def column(name: str) -> list[float | None]:
        return [rounded(row.get(name)) for row in rows]

    names = dict.fromkeys(name for row in rows for name in row if name not in AXES)
    columns = {name: column(name) for name in names}
    return {
        "steps": column("step"),
        "seconds": column("seconds"),
        "metrics": {name: c for name, c in columns.items() if c != [None] * len(c)},
    }


def learning_curves(
    rows: Sequence[Mapping[str, float]], monitor: str, best: Mapping[str, float]
) -> list[Chart]:
    """Return a chart for each quantity: the score that chooses the checkpoint first, then losses.

    The best step is marked in all of them.
    """
    thin = thin_curves(rows)
    quantities: dict[str, dict[str, list[float | None]]] = {}
    for column, values in thin["metrics"].items():
        kind, _, name = column.rpartition("/")
        quantities.setdefault(name, {})[kind] = values
    score = monitor.rpartition("/")[2]
    order = sorted(
        quantities, key=lambda n: (n != score, "loss" not in n, n in ("lr", "data_wait"))
    )
    rules = {"best": best["step"]} if "step" in best else {}
    charts = []
    for name in order:
        curves = quantities[name]
        series = [
            Series(words(kind) if kind else "", thin["steps"], values, colour=KINDS.get(kind, 4))
            for kind, values in curves.items()
        ]
        axis = axis_of(name, list(curves.values()))
        at_best = best.get(f"val/{name}", best.get(name))
        note = f"{format_short(at_best)} at the best step" if at_best is not None else ""
        up = Axis(words(name), axis.domain, axis.kind)
        title = words(name)
        charts.append(Chart(title[:1].upper() + title[1:], Axis("step"), up, series, rules, note))
    return charts


def rounded(value: float | None) -> float | None:
    """Round a number to five digits; None for None, NaN and infinite numbers.

    >>> rounded(0.123456789), rounded(math.nan), rounded(None)
    (0.12346, None, None)
    """
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None
