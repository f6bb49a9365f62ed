"""Learning curves of a run with fewer points, so that all runs fit on one page."""

import math
from collections.abc import Sequence
from typing import Any

#: Columns of the metrics that are not drawn.
AXES = ("step", "seconds", "epoch", "train/step_loss")


def thin_curves(rows: Sequence[dict[str, float]], most: int = 200) -> dict[str, Any]:
    """Return steps, seconds and each metric as columns, None where a row lacks a value.

    Of the rows, one for each validation, every n-th is kept, and the last one, up to ``most``.
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


def rounded(value: float | None) -> float | None:
    """Round a number to five digits; None for None, NaN and infinite numbers.

    >>> rounded(0.123456789), rounded(math.nan), rounded(None)
    (0.12346, None, None)
    """
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None
