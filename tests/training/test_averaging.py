import pytest
import torch

from unet_exp.training.averaging import RunningMean


def test_the_mean_is_young_at_first() -> None:
    mean = RunningMean(decay=0.5)
    weights = [torch.tensor([0.0])]
    # (1 + n) / (10 + n) for n = 1: 2 / 11 is kept and 9 / 11 comes from the new weight.
    mean.update(weights, [torch.tensor([11.0])], 1)
    assert weights[0].item() == pytest.approx(9)
    # For n = 100 it would keep 101 / 110, more than the decay allows.
    mean.update(weights, [torch.tensor([11.0])], 100)
    assert weights[0].item() == pytest.approx(10)


@pytest.mark.parametrize("decay", [1.0, -0.1])
def test_a_decay_outside_0_to_1_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="averaging="):
        RunningMean(decay)
