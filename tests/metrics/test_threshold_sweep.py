import pytest
import torch

from unet_exp.metrics.threshold_sweep import ThresholdSweep, checked_thresholds, foreground
from unet_exp.metrics.v_rand import VRand


def test_the_challenge_has_ten_levels() -> None:
    expected = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert checked_thresholds(None) == tuple(expected)
    assert VRand().thresholds == tuple(expected)


@pytest.mark.parametrize("thresholds", [[], [0.5, 1.0], [-0.1]])
def test_thresholds_that_cut_nothing_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="does not cut a probability"):
        VRand(thresholds)


def test_a_measure_brings_its_own_curve() -> None:
    with pytest.raises(TypeError, match="abstract method"):
        ThresholdSweep()  # pyright: ignore[reportAbstractUsage]


def test_foreground_is_all_but_class_0() -> None:
    probabilities = torch.tensor([[[0.75]], [[0.2]], [[0.05]]], dtype=torch.float64)
    assert foreground(probabilities).tolist() == [[0.25]]
