"""Precision over recall of the foreground's pixels, with lines of equal F1.

Davis and Goadrich 2006 (doi:10.1145/1143844.1143874). F1 of pixels is the Dice score.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes

from unet_exp.metrics.curves import PrecisionRecall
from unet_exp.numbers import format_score
from unet_exp.pictures.page import BLUE, INK, ORANGE, QUIET, Plots, finished, legend, quiet

SIDE, MARGIN = 440, 40  # pixels: side of the plot, space for the values of F1 on its right
EQUAL_F1 = (0.2, 0.4, 0.6, 0.8, 0.9, 0.95)


def precision_recall(
    curve: PrecisionRecall,
    path: Path | str | None = None,
    title: str = "Foreground pixels",
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw the curve, with its best F1 and the threshold 0.5 marked; write a PNG to ``path``.

    >>> levels = np.array([0.0, 0.5, 1.0])
    >>> precision_recall(PrecisionRecall(levels, levels / 2 + 0.5, 1 - levels)).shape[2]
    3
    """
    known = np.isfinite(curve.recall).any()
    page = Plots(int(known), title, SIDE, SIDE + MARGIN, "No pixel is known to be foreground.")
    if known:
        headline = f"average precision {format_score(curve.average_precision())}"
        plot(page.plot(0, headline, MARGIN), curve)
    return finished(page, path)


def plot(axes: Axes, curve: PrecisionRecall) -> None:
    """Draw the curve over lines of equal F1."""
    axes.set_xlim(0, 1.005)
    axes.set_ylim(0, 1.005)
    for level in EQUAL_F1:
        recall = np.linspace(level / (2 - level), 1, 100)
        axes.plot(recall, level * recall / (2 * recall - level), color="#BBBBBB", linewidth=0.8)
        axes.text(1.01, level / (2 - level), f"F1 {level:g}", fontsize=8, color=QUIET, va="center")
    axes.plot(curve.recall, curve.precision, color=ORANGE, linewidth=1.8)
    f1 = curve.f1()
    best, half = int(np.argmax(f1)), int(np.argmin(np.abs(curve.thresholds - 0.5)))
    marks = (
        (best, "o", INK, f"best F1 at {curve.thresholds[best]:g}: {format_score(f1[best])}"),
        (half, "s", BLUE, f"F1 at {curve.thresholds[half]:g}: {format_score(f1[half])}"),
    )
    for index, marker, colour, label in marks:
        axes.plot(
            [curve.recall[index]], [curve.precision[index]], marker, color=colour, markersize=8,
            markerfacecolor="none", label=label, linestyle="none", clip_on=False,
        )  # fmt: skip
    axes.set_ylabel("precision", fontsize=8, color=QUIET, labelpad=1)
    legend(axes, "lower left")
    quiet(axes, "recall")
