from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from torchmetrics.functional.classification import (
    binary_average_precision,
    binary_f1_score,
    binary_precision_recall_curve,
)

from unet_exp.metrics.curves import PrecisionRecall
from unet_exp.pictures.precision_recall import plot, precision_recall

LEVELS = torch.linspace(0, 1, 21)


def measured(scores: torch.Tensor, truth: torch.Tensor) -> PrecisionRecall:
    precision, recall, _ = binary_precision_recall_curve(scores, truth, thresholds=LEVELS)
    return PrecisionRecall(LEVELS.numpy(), precision[:-1].numpy(), recall[:-1].numpy())


@given(seed=st.integers(0, 10_000))
def test_average_precision_and_f1_are_those_of_torchmetrics(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(60, generator=generator)
    truth = (torch.rand(60, generator=generator) < scores).long()
    truth[0] = 1
    curve = measured(scores, truth)
    expected = binary_average_precision(scores, truth, thresholds=LEVELS)
    assert curve.average_precision() == pytest.approx(float(expected), abs=1e-6)
    for place in (3, 10, 16):
        f1 = binary_f1_score((scores >= LEVELS[place]).long(), truth)
        assert curve.f1()[place] == pytest.approx(float(f1), abs=1e-6)


def test_a_perfect_prediction_has_all_the_area() -> None:
    truth = torch.tensor([0, 1, 1, 0])
    assert measured(truth.float(), truth).average_precision() == 1


def test_undefined_values_are_left_out() -> None:
    levels, nothing = np.array([0.2, 0.8]), np.full(2, np.nan)
    # Nothing is as probable as 0.8, so there is no precision; recall is 0.
    curve = PrecisionRecall(levels, np.array([0.5, np.nan]), np.array([1.0, 0.0]))
    assert curve.average_precision() == 0.5
    assert curve.f1()[1] == 0
    assert np.isnan(PrecisionRecall(levels, np.zeros(2), nothing).average_precision())
    assert precision_recall(PrecisionRecall(levels, np.zeros(2), nothing)).any()


def test_the_best_f1_and_the_threshold_of_a_half_are_marked() -> None:
    levels = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    precision, recall = np.array([0.5, 0.8, 0.9, 1.0, 1.0]), np.array([1.0, 0.9, 0.6, 0.2, 0.0])
    axes = Figure().add_subplot()
    plot(axes, PrecisionRecall(levels, precision, recall))
    best, half = axes.lines[-2:]
    assert (best.get_xdata(), best.get_ydata()) == ([0.9], [0.8])
    assert best.get_label() == "best F1 at 0.25: 0.8471"  # 2 * 0.8 * 0.9 / 1.7
    assert (half.get_xdata(), half.get_ydata()) == ([0.6], [0.9])
    assert half.get_label() == "F1 at 0.5: 0.7200"


def test_lines_of_equal_f1_hold_what_they_say() -> None:
    axes = Figure().add_subplot()
    ends = np.array([0.0, 1.0])
    plot(axes, PrecisionRecall(ends, ends, 1 - ends))
    for line, text in zip(axes.lines, axes.texts, strict=False):
        recall, precision = line.get_data()
        harmonic = 2 / (1 / np.asarray(recall) + 1 / np.asarray(precision))
        np.testing.assert_allclose(harmonic, float(text.get_text().removeprefix("F1 ")))


def test_a_file_as_drawn(tmp_path: Path) -> None:
    curve = measured(torch.tensor([0.2, 0.7, 0.9]), torch.tensor([0, 0, 1]))
    drawn = precision_recall(curve, tmp_path / "curve.png")
    read = cv2.imread(str(tmp_path / "curve.png"))
    assert read is not None
    assert (read[..., ::-1] == drawn).all()
