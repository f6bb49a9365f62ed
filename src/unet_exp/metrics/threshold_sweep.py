"""Metrics at several thresholds of the probability; the best counts, as in ISBI 2012.

Ronneberger et al. 2015, section 4; Arganda-Carreras et al. 2015 (doi:10.3389/fnana.2015.00142).
"""

from abc import abstractmethod

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from unet_exp.metrics.curves import ThresholdCurve
from unet_exp.metrics.measure import Measure

CHALLENGE = tuple(level / 10 for level in range(10))


def checked_thresholds(thresholds: list[float] | None) -> tuple[float, ...]:
    """Return the thresholds as a tuple; None means the challenge's. Refuse values outside [0, 1).

    >>> checked_thresholds([0.25, 0.5])
    (0.25, 0.5)
    """
    if thresholds is None:
        return CHALLENGE
    levels = tuple(float(level) for level in thresholds)
    if not levels or min(levels) < 0 or max(levels) >= 1:
        raise ValueError(
            f"thresholds={list(levels)} does not cut a probability: give one or more numbers "
            f"from 0 up to, not including, 1, such as [0.3, 0.5, 0.7]."
        )
    return levels


def foreground(probabilities: Float[Tensor, "c h w"]) -> Float[Tensor, "h w"]:
    """Return the probability of any class but 0, on the CPU, in single precision."""
    return 1 - probabilities[0].detach().cpu().float()


class ThresholdSweep(Measure):
    """A metric with a value at each threshold; the best one is its score.

    Parameters
    ----------
    thresholds
        Pixels with a larger probability are foreground. None means the challenge's 0, 0.1, .. 0.9.
    """

    def __init__(self, thresholds: list[float] | None = None) -> None:
        super().__init__()
        self.thresholds: tuple[float, ...] = checked_thresholds(thresholds)

    @abstractmethod
    def curve(self) -> Float[Tensor, " thresholds"]:
        """Return the score at each threshold; NaN without images."""

    def threshold_curve(self) -> ThresholdCurve:
        """Return the curve as arrays."""
        levels, values = np.array(self.thresholds), self.curve().double().cpu().numpy()
        return ThresholdCurve(levels, values, bool(self.higher_is_better))

    def best(self) -> int:
        """Return the index of the best threshold (the first, if several are equal)."""
        curve = self.curve()
        return int(curve.argmax() if self.higher_is_better else curve.argmin())

    def best_threshold(self) -> float:
        """Return the threshold of ``compute``'s score."""
        return self.thresholds[self.best()]

    def compute(self) -> Float[Tensor, ""]:
        """Return the best value of the curve."""
        return self.curve()[self.best()]

    def details(self) -> dict[str, float]:
        """Return ``threshold``, where the curve is best."""
        scored = not torch.isnan(self.curve()).all()
        return {"threshold": self.best_threshold() if scored else float("nan")}


class SplitMergeSweep(ThresholdSweep):
    """A sweep that also reports splits and mergers."""

    @abstractmethod
    def split_curve(self) -> Float[Tensor, " thresholds"]:
        """Return the part of the score that splits lower, at each threshold."""

    @abstractmethod
    def merge_curve(self) -> Float[Tensor, " thresholds"]:
        """Return the part of the score that mergers lower, at each threshold."""

    def threshold_curve(self) -> ThresholdCurve:
        """Return the curve and its two parts as arrays."""
        sides = (self.split_curve(), self.merge_curve())
        split, merge = (side.double().cpu().numpy() for side in sides)
        return super().threshold_curve()._replace(split=split, merge=merge)

    def details(self) -> dict[str, float]:
        """Return ``threshold``, and ``split`` and ``merge`` there."""
        best = self.best()
        return {
            **super().details(),
            "split": float(self.split_curve()[best]),
            "merge": float(self.merge_curve()[best]),
        }
