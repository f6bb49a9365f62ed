"""The learning curves of a run, thinned so that those of all runs fit on one page."""

import math
from collections.abc import Sequence
from typing import Any

#: Columns of the metrics that are not drawn.
AXES = ("step", "seconds", "epoch", "train/step_loss")


def thin_curves(rows: Sequence[dict[str, float]], most: int = 200) -> dict[str, Any]:
    """Return steps, seconds and each metric as columns, None where a row lacks a value.

    Parameters
    ----------
    rows
        The metrics of a run, one row for each validation.
    most
        Rows to keep: every n-th, the last one among them.
    """
    rows = [row for row in rows if rounded(row.get("step")) is not None]
    every = math.ceil(len(rows) / most) if rows else 1
    rows = rows[::-1][::every][::-1]
    names = dict.fromkeys(name for row in rows for name in row if name not in AXES)
    columns = {name: [rounded(row.get(name)) for row in rows] for name in names}
    return {
        "steps": [rounded(row.get("step")) for row in rows],
        "seconds": [rounded(row.get("seconds")) for row in rows],
        "metrics": {
            k: column for k, column in columns.items() if any(v is not None for v in column)
        },
    }


def rounded(value: float | None) -> float | None:
    """Round a number to five digits; None for none and for what is not finite.

    >>> rounded(0.123456789), rounded(math.nan), rounded(None)
    (0.12346, None, None)
    """
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None
