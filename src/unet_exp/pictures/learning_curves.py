"""Losses, scores and learning rate against the training step."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Shaped, UInt8
from matplotlib.axes import Axes

from unet_exp.numbers import parse_number
from unet_exp.pictures.page import BLUE, GREEN, INK, ORANGE, Plots, finished, legend, quiet

STYLES = {"train": (BLUE, "-"), "val": (ORANGE, "-"), "test": (GREEN, "--")}
IGNORED = ("step", "epoch", "seconds", "train/step_loss")
NAMES = {"lr": "learning rate", "val": "validation"}
Curve = tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]


def learning_curves(
    history: Iterable[Mapping[str, object]], path: Path | str | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw a plot for each quantity of a training; write a PNG to ``path``.

    Rows are those of metrics.csv, with columns such as "step", "train/loss", "val/loss" and "lr".
    The part of a name after the last "/" is the plot, the part before it the curve. Numbers may be
    text; other texts, and the columns in ``IGNORED``, are left out. A row without a step is one
    step after the previous row.

    >>> rows = [{"step": 1, "train/loss": 0.7}, {"step": 2, "train/loss": "0.5", "lr": None}]
    >>> learning_curves(rows).shape[2]
    3
    """
    plots = grouped(history)
    page = Plots(len(plots), "Learning curves")
    for index, (name, curves) in enumerate(plots.items()):
        last = next(iter(curves.values())) if len(curves) == 1 else curves.get("val")
        value = "" if last is None else f"   {last[1][-1]:.4g}"
        headline = NAMES.get(name, name.replace("_", " ")) + value
        plot(page.plot(index, headline), name, curves)
    return finished(page, path)


def grouped(history: Iterable[Mapping[str, object]]) -> dict[str, dict[str, Curve]]:
    """Return the curves of each plot: losses first, learning rates last.

    >>> list(grouped([{"lr": 1, "val/dice": 1, "train/loss": 2}]))
    ['loss', 'dice', 'lr']
    """
    points: dict[str, dict[str, list[tuple[float, float]]]] = {}
    step = 0.0
    for row in history:
        at = parse_number(row.get("step"))
        step = step + 1 if at is None else at
        for key, cell in row.items():
            value = parse_number(cell)
            if key not in IGNORED and value is not None:
                curve, _, name = key.rpartition("/")
                points.setdefault(name, {}).setdefault(curve, []).append((step, value))
    order = sorted(points, key=lambda name: ("loss" not in name, is_rate(name)))
    return {
        name: {curve: tuple(np.array(p, np.float64).T) for curve, p in points[name].items()}
        for name in order
    }


def is_rate(name: str) -> bool:
    """Return whether a column is a learning rate."""
    return name.startswith(("lr", "learning_rate"))


def plot(axes: Axes, name: str, curves: Mapping[str, Curve]) -> None:
    """Draw the curves of one quantity; long curves of losses are pale and have a running mean."""
    for curve, (steps, values) in curves.items():
        colour, line = STYLES.get(curve, (INK, "-"))
        label = NAMES.get(curve, curve or name)
        if len(values) > 60 and "loss" in name:
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
            steps, values = smooth(steps, values)
        marker = "o" if len(values) <= 30 else ""
        axes.plot(
            steps, values, color=colour, linestyle=line, linewidth=1.6, marker=marker,
            markersize=3, label=label,
        )  # fmt: skip
    every = np.concatenate([values for _, values in curves.values()])
    if not is_rate(name) and every.min() > 0 and every.max() > 20 * every.min():
        axes.set_yscale("log")
    else:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.4g}")
        axes.locator_params(axis="y", nbins=5)
    axes.locator_params(axis="x", nbins=8, integer=True)
    if len(curves) > 1:
        legend(axes)
    quiet(axes, "step")


def smooth(
    steps: Shaped[np.ndarray, " n"], values: Float64[np.ndarray, " n"]
) -> tuple[Shaped[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """Return the running mean over a twentieth of the curve, with the steps at the centres.

    >>> smooth(np.arange(4.0), np.array([1.0, 3.0, 1.0, 3.0]))[1].tolist()
    [1.0, 3.0, 1.0, 3.0]
    """
    window = max(1, len(values) // 20)
    means = np.convolve(values, np.full(window, 1 / window), "valid")
    start = (window - 1) // 2
    return steps[start : start + len(means)], means
