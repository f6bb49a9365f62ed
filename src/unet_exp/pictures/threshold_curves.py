"""Scores over the threshold on the probability.

As in figure 6 of Arganda-Carreras et al. 2015 (doi:10.3389/fnana.2015.00142). The challenge ranks
by the best point of each curve.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes

from unet_exp.metrics.curves import ThresholdCurve
from unet_exp.pictures.page import BLUE, GREEN, INK, ORANGE, Plots, finished, legend, quiet


def threshold_curves(
    curves: Mapping[str, ThresholdCurve],
    path: Path | str | None = None,
    title: str = "Scores by threshold",
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw a plot for each score with its best point marked; write a PNG to ``path``.

    >>> levels = np.array([0.25, 0.5, 0.75])
    >>> threshold_curves({"v_rand": ThresholdCurve(levels, levels**2)}).shape[2]
    3
    """
    page = Plots(len(curves), title, nothing="No score was measured at several thresholds.")
    for index, (name, curve) in enumerate(curves.items()):
        best = curve.best()
        found = "not measured"
        if best is not None:
            found = f"{curve.values[best]:.4g} at {curve.thresholds[best]:g}"
        plot(page.plot(index, f"{name.replace('_', ' ')}   {found}"), curve)
    return finished(page, path)


def plot(axes: Axes, curve: ThresholdCurve) -> None:
    """Draw a score, its split and merge parts in thinner lines, and its best point."""
    for name, values, colour in (("split", curve.split, BLUE), ("merge", curve.merge, GREEN)):
        if values is not None:
            axes.plot(curve.thresholds, values, color=colour, linewidth=0.9, label=name)
    axes.plot(
        curve.thresholds, curve.values, color=ORANGE, linewidth=1.8, marker="o", markersize=3,
        label="score",
    )  # fmt: skip
    if (best := curve.best()) is not None:
        at, value = curve.thresholds[best], curve.values[best]
        axes.axvline(at, color=INK, linewidth=0.8, linestyle=":")
        axes.plot([at], [value], "o", markersize=8, markerfacecolor="none", markeredgecolor=INK)
    axes.set_xlim(-0.02, 1.02)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}")
    axes.locator_params(axis="y", nbins=5)
    if curve.split is not None or curve.merge is not None:
        legend(axes)
    quiet(axes, "threshold")
