from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from unet_exp.metrics.curves import ThresholdCurve
from unet_exp.pictures.threshold_curves import plot, threshold_curves

LEVELS = np.arange(4) / 4


@pytest.mark.parametrize(
    ("values", "higher_is_better", "best"),
    [
        ([0.1, 0.9, 0.3, 0.2], True, 1),
        ([0.1, 0.9, 0.3, 0.05], False, 3),
        ([0.5, 0.5, 0.5, 0.5], False, 0),
        ([np.nan, 0.2, np.nan, 0.3], True, 3),
        ([np.nan] * 4, True, None),
    ],
)
def test_the_best_point(values: list[float], higher_is_better: bool, best: int | None) -> None:
    assert ThresholdCurve(LEVELS, np.array(values), higher_is_better).best() == best


def test_the_best_point_is_marked_and_the_sides_are_thinner() -> None:
    axes = Figure().add_subplot()
    values = np.array([0.2, 0.6, 0.9, 0.4])
    plot(axes, ThresholdCurve(LEVELS, values, True, split=values / 2, merge=values / 3))
    split, merge, score, _, mark = axes.lines
    assert [line.get_label() for line in (split, merge, score)] == ["split", "merge", "score"]
    assert split.get_linewidth() < score.get_linewidth() > merge.get_linewidth()
    assert (mark.get_xdata(), mark.get_ydata()) == ([0.5], [0.9])


def test_a_file_as_drawn(tmp_path: Path) -> None:
    curves = {
        "v_rand": ThresholdCurve(LEVELS, LEVELS, True, LEVELS, LEVELS),
        "unmeasured": ThresholdCurve(LEVELS, np.full(4, np.nan)),
        "single": ThresholdCurve(LEVELS[:1], np.ones(1)),
    }
    drawn = threshold_curves(curves, tmp_path / "curves.png")
    read = cv2.imread(str(tmp_path / "curves.png"))
    assert read is not None
    assert (read[..., ::-1] == drawn).all()


def test_no_score_at_several_thresholds() -> None:
    assert threshold_curves({}).any()
