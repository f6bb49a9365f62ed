"""Plain numbers: how they spread, and how tables show them."""

import math

import numpy as np


def statistics(values: list[float]) -> dict[str, float]:
    """Return mean, standard deviation (n - 1) and median of the numbers that are finite.

    >>> statistics([1.0, 2.0, 6.0, math.nan])
    {'mean': 3.0, 'std': 2.6457513110645907, 'median': 2.0}
    >>> statistics([1.0])
    {'mean': 1.0, 'std': nan, 'median': 1.0}
    """
    finite = [value for value in values if math.isfinite(value)]
    return {
        "mean": float(np.mean(finite)) if finite else math.nan,
        "std": float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan,
        "median": float(np.median(finite)) if finite else math.nan,
    }


def number(value: float | None) -> str:
    """Return a number as tables show it; a dash for none.

    >>> number(0.98765), number(0.000353), number(math.nan), number(None)
    ('0.9877', '3.5e-4', '-', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    if 1e-9 < abs(value) < 0.001:
        return f"{value:.1e}".replace("e-0", "e-")
    return f"{value:.4f}"


def short(value: float) -> str:
    """Return a number in a line of text, without zeros at its end; a dash for none.

    >>> short(94.0), short(0.80001), short(0.0462), short(math.nan)
    ('94', '0.8', '0.0462', '-')
    """
    shown = number(value)
    return shown if "e" in shown else shown.rstrip("0").rstrip(".")
