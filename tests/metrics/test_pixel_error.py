import math

import pytest
import torch
from torchmetrics.functional.classification import binary_f1_score

from unet_exp.metrics.pixel_error import PixelError, pixel_error


def test_hand_drawn(draw) -> None:
    assert pixel_error(draw("1111 .... 1111"), draw("1111 1111 ..??")).item() == pytest.approx(0.6)


def test_perfect_all_wrong_all_unknown(draw) -> None:
    assert pixel_error(draw("12.."), draw("12..")).item() == 0
    assert pixel_error(draw("21"), draw("12")).item() == 1
    assert math.isnan(pixel_error(draw("1"), draw("?")))


def test_at_the_best_threshold(draw, stacked) -> None:
    probabilities, truth = stacked(torch.tensor([[0.1, 0.2, 0.3, 0.4]])), draw(".111")
    plain, best = PixelError(), PixelError([0.05, 0.15, 0.25, 0.35])
    plain.update(probabilities, truth)
    best.update(probabilities, truth)
    assert plain.compute().item() == 0.75
    assert best.errors.tolist() == [1, 0, 1, 2]
    assert best.compute().item() == 0


def test_one_threshold_at_half_is_argmax_of_two_classes(random_pair) -> None:
    for seed in range(3):
        plain, half = PixelError(), PixelError([0.5])
        plain.update(*random_pair(2, seed))
        half.update(*random_pair(2, seed))
        assert plain.compute() == half.compute()


def test_lower_is_better() -> None:
    assert PixelError().higher_is_better is False


def test_the_challenges_number_is_one_minus_the_best_f_score(random_pair) -> None:
    levels = [0.3, 0.45, 0.6]
    metric = PixelError(levels, f_score=True)
    images = [random_pair(2, seed) for seed in range(3)]
    for image in images:
        metric.update(*image)
    foreground = torch.stack([1 - probabilities[0] for probabilities, _ in images])
    truths = torch.stack([truth for _, truth in images])
    expected = [
        1 - binary_f1_score(foreground, truths, threshold=level, ignore_index=-1).item()
        for level in levels
    ]
    assert metric.curve().tolist() == pytest.approx(expected)
    assert metric.compute().item() == pytest.approx(min(expected))
    assert metric.details() == {"threshold": levels[expected.index(min(expected))]}


def test_of_nothing_the_f_score_is_perfect(draw, stacked) -> None:
    metric = PixelError([0.5], f_score=True)
    metric.update(stacked(torch.zeros(1, 3)), draw("..."))
    assert metric.compute() == 0
    metric.update(stacked(torch.tensor([[0.9]])), draw("."))
    assert metric.compute() == 1


def test_without_thresholds_there_is_one_number_and_no_detail(random_pair) -> None:
    metric = PixelError()
    metric.update(*random_pair(3))
    assert metric.thresholds == ()
    assert metric.curve().tolist() == [metric.compute().item()]
    assert metric.details() == {}
