"""Scores at ascending thresholds, as plain arrays for pages and pictures."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class ThresholdCurve(NamedTuple):
    """Values of a score, and of its two parts if it has them, at ascending thresholds."""

    thresholds: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]
    higher_is_better: bool = True
    split: Float[np.ndarray, " n"] | None = None
    merge: Float[np.ndarray, " n"] | None = None

    def best(self) -> int | None:
        """Return the index of the best value, the first if several are equal; None if all are NaN.

        >>> ThresholdCurve(np.array([0.3, 0.5, 0.7]), np.array([0.2, np.nan, 0.1])).best()
        0
        """
        if not np.isfinite(self.values).any():
            return None
        return int(np.nanargmax(self.values if self.higher_is_better else -self.values))


class PrecisionRecall(NamedTuple):
    """Precision and recall at ascending thresholds.

    Pixels whose probability is at least the threshold count as foreground. Precision is NaN if
    there are none; recall is NaN if there is no true foreground.
    """

    thresholds: Float[np.ndarray, " n"]
    precision: Float[np.ndarray, " n"]
    recall: Float[np.ndarray, " n"]

    def f1(self) -> Float[np.ndarray, " n"]:
        """Harmonic mean of precision and recall; 0 where no pixel is found.

        >>> half = np.array([0.5])
        >>> PrecisionRecall(half, np.array([1.0]), half).f1().round(4)
        array([0.6667])
        """
        found = self.precision * self.recall > 0
        total = np.where(found, self.precision + self.recall, 1)
        return np.where(found, 2 * self.precision * self.recall / total, 0)

    def average_precision(self) -> float:
        """Sum over thresholds: precision times the increase of recall from the next higher one.

        >>> levels = np.array([0.2, 0.8])
        >>> PrecisionRecall(levels, np.array([0.5, 1.0]), np.array([1.0, 0.6])).average_precision()
        0.8
        """
        gained = -np.diff(self.recall, append=0.0)
        return float(np.where(gained == 0, 0, gained * self.precision).sum())
