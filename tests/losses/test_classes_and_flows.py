import pytest
import torch

from unet_exp.losses.classes_and_flows import ClassesAndFlows
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    target = torch.rand(2, 3, 4, 5)
    target[:, 0] = torch.randint(0, 3, (2, 4, 5)).float()
    return torch.randn(2, 5, 4, 5), target, torch.rand(2, 4, 5)


def test_without_flows_it_is_the_cross_entropy() -> None:
    output, target, weights = batch()
    expected = WeightedCrossEntropy()(output[:, :3], target[:, 0].long(), weights)
    torch.testing.assert_close(ClassesAndFlows(0.0)(output, target, weights), expected)


def test_one_pixel_by_hand() -> None:
    # The classes are undecided: log 2. 5 x flow is (3, 4), and the network says (2, 0).
    output = torch.tensor([0.0, 0.0, 2.0, 0.0]).reshape(1, 4, 1, 1)
    target = torch.tensor([0.0, 0.6, 0.8]).reshape(1, 3, 1, 1)
    for reduction in ("mean", "sum"):
        found = ClassesAndFlows(reduction=reduction)(output, target, torch.full((1, 1, 1), 2.0))
        assert float(found) == pytest.approx(2 * (0.693147 + 0.5 * (1 + 16) / 2), rel=1e-5)


def test_pixels_without_weight_count_nothing() -> None:
    output, target, weights = batch()
    weights[:, 2:] = 0
    whole = ClassesAndFlows()(output, target, weights)
    part = ClassesAndFlows()(output[:, :, :2], target[:, :, :2], weights[:, :2])
    torch.testing.assert_close(whole, part)


def test_another_target_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a class and a vector.*shape \(1, 2, 2, 2\)"):
        ClassesAndFlows()(torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2))
    with pytest.raises(ValueError, match="flow_weight=-1"):
        ClassesAndFlows(-1)
