import pytest
import torch
import torch.nn.functional as F

from unet_exp.losses.classes_and_distances import ClassesAndDistances
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    target = torch.rand(2, 3, 4, 5)
    target[:, 0] = torch.randint(0, 3, (2, 4, 5)).float()
    return torch.randn(2, 5, 4, 5), target, torch.rand(2, 4, 5)


def test_without_distances_it_is_the_cross_entropy() -> None:
    output, target, weights = batch()
    expected = WeightedCrossEntropy()(output[:, :3], target[:, 0].long(), weights)
    torch.testing.assert_close(ClassesAndDistances(0.0)(output, target, weights), expected)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_distances_add_their_weighted_smooth_l1(reduction: str) -> None:
    output, target, weights = batch()
    each = F.smooth_l1_loss(output[:, 3:], target[:, 1:], reduction="none")
    total = (each.mean(1) * weights).sum()
    expected = 4 * (total / weights.numel() if reduction == "mean" else total)
    with_them = ClassesAndDistances(4.0, reduction)(output, target, weights)
    without = ClassesAndDistances(0.0, reduction)(output, target, weights)
    torch.testing.assert_close(with_them - without, expected)


def test_pixels_without_weight_count_nothing() -> None:
    output, target, weights = batch()
    weights[:, 2:] = 0
    whole = ClassesAndDistances()(output, target, weights)
    part = ClassesAndDistances()(output[:, :, :2], target[:, :, :2], weights[:, :2])
    torch.testing.assert_close(whole, part)


def test_a_target_of_classes_alone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a class and numbers.*shape \(1, 2, 2\)"):
        ClassesAndDistances()(
            torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2).long(), torch.ones(1, 2, 2)
        )


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="distance_weight=-1"):
        ClassesAndDistances(-1)
