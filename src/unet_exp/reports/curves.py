"""The learning curves of a job, thinned so that those of all jobs fit on one page."""

import math
from pathlib import Path
from typing import Any

from unet_exp.csv_tables import read_csv
from unet_exp.numbers import parse_number

#: Columns of metrics.csv that are not drawn as curves.
AXES = ("step", "seconds", "epoch", "train/step_loss")


def read_curves(path: Path, most: int = 200) -> dict[str, Any]:
    """Return the steps, the seconds and each metric of ``metrics.csv``; None for missing values.

    A long file is thinned evenly and keeps its last row. A missing or damaged file gives what can
    be read of it.
    """
    try:
        rows = read_csv(path)
    except (OSError, ValueError):
        rows = []
    rows = [row for row in rows if parse_number(row.get("step")) is not None]
    every = math.ceil(len(rows) / most) if rows else 1
    rows = rows[::-1][::every][::-1]
    names = dict.fromkeys(name for row in rows for name in row if name and name not in AXES)
    columns = {name: [rounded(row.get(name)) for row in rows] for name in names}
    return {
        "steps": [rounded(row.get("step")) for row in rows],
        "seconds": [rounded(row.get("seconds")) for row in rows],
        "metrics": {
            k: column for k, column in columns.items() if any(v is not None for v in column)
        },
    }


def rounded(cell: object) -> float | None:
    """Read a cell as a number of five digits; None if it is none.

    >>> rounded("0.123456789"), rounded("")
    (0.12346, None)
    """
    value = parse_number(cell)
    return None if value is None else float(f"{value:.5g}")
