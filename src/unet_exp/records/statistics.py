"""Mean and spread of scores."""

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
