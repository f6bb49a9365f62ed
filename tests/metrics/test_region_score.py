import math

import pytest
import torch
from skimage.measure import label

from unet_exp.metrics.region_score import RegionScore
from unet_exp.metrics.v_rand import VRand, v_rand


def test_the_best_threshold_of_the_mean(draw, stacked) -> None:
    truth = draw("11.22")
    metric = VRand()
    metric.update(stacked(torch.tensor([[0.95, 0.95, 0.35, 0.95, 0.95]])), truth)
    metric.update(stacked(torch.tensor([[0.65, 0.65, 0.15, 0.65, 0.65]])), truth)
    # Merged: 2 * (4 + 4) / (16 + 8); apart: 1.
    gone = 2 * 4 / (4 + 8)  # single pixels
    first = [2 / 3] * 4 + [1] * 6
    second = [2 / 3] * 2 + [1] * 5 + [gone] * 3
    assert metric.curve().tolist() == pytest.approx(
        [(a + b) / 2 for a, b in zip(first, second, strict=True)]
    )
    assert metric.compute().item() == 1
    assert metric.best_threshold() == 0.4
    assert metric.details() == {"threshold": 0.4, "split": 1, "merge": 1}
    # Single pixels split an object of two: 2 of its 4 pairs; merged, 8 of 16 are right.
    assert metric.split_curve().tolist() == pytest.approx([1] * 7 + [0.75] * 3)
    assert metric.merge_curve().tolist() == pytest.approx([0.5] * 2 + [0.75] * 2 + [1] * 6)


def test_membrane_inside_a_cell_costs_less_once_thinned(draw, stacked) -> None:
    truth = draw("1111111 1111111 1111111 1111111 1111111")
    foreground = (draw("11...11 11...11 11...11 11...11 11...11") > 0).float()
    thick, thin = VRand([0.5], thin_borders=False), VRand([0.5])
    thick.update(stacked(foreground), truth)
    thin.update(stacked(foreground), truth)
    # Regions of 10, 10 and 15 pixels; thinned, of 15, 15 and five of a single pixel.
    assert thick.compute().item() == pytest.approx(2 * (100 + 100 + 225) / (425 + 35**2))
    assert thin.compute().item() == pytest.approx(2 * (225 + 225 + 5) / (455 + 35**2))


@pytest.mark.parametrize("seed", range(4))
def test_unthinned_it_scores_connected_components(seed: int, mosaic, stacked) -> None:
    truth = mosaic(seed)
    noise = torch.rand(truth.shape, generator=torch.Generator().manual_seed(seed))
    foreground = 0.6 * (truth > 0) + 0.4 * noise
    metric = VRand(thin_borders=False)
    metric.update(stacked(foreground), truth)
    expected = [
        v_rand(torch.from_numpy(label((foreground > t / 10).numpy(), connectivity=1)), truth).item()
        for t in range(10)
    ]
    assert metric.curve().tolist() == pytest.approx(expected, abs=1e-6)
    assert metric.compute().item() == pytest.approx(max(expected), abs=1e-6)


def test_an_image_without_truth_counts_for_nothing(draw, stacked) -> None:
    metric = VRand()
    metric.update(stacked(torch.rand(1, 3)), draw("??."))
    assert metric.images == 0
    assert math.isnan(metric.compute())


def test_a_measure_brings_its_own_score() -> None:
    with pytest.raises(TypeError, match="abstract method"):
        RegionScore()  # pyright: ignore[reportAbstractUsage]


def test_a_changed_image_is_scored_anew(draw, stacked) -> None:
    truth, map_ = draw("11.22"), torch.tensor([[0.9, 0.9, 0.1, 0.9, 0.9]])
    probabilities = stacked(map_)
    metric = VRand([0.5], thin_borders=False)
    for _ in range(2):
        metric.update(probabilities, truth)
        probabilities[:, 0, 2] = probabilities[:, 0, 2].flip(0)  # in place: now all is one region
    # Apart: 1; merged: 2 * (4 + 4) / (16 + 8).
    assert metric.compute().item() == pytest.approx((1 + 2 / 3) / 2)
    assert VRand([0.5], thin_borders=False)(probabilities, truth).item() == pytest.approx(1)
