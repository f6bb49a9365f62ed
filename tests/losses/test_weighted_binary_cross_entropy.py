import pytest
import torch
import torch.nn.functional as F

from unet_exp.losses.weighted_binary_cross_entropy import WeightedBinaryCrossEntropy
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 5, 7, generator=random)
    target = torch.randint(0, 2, (2, 5, 7), generator=random)
    return logits, target, torch.rand(2, 5, 7, generator=random) + 0.1


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_is_the_softmax_of_zero_and_the_channel(
    batch: tuple[torch.Tensor, ...], reduction: str
) -> None:
    logits, target, weights = batch
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    one_sigmoid, softmax = WeightedBinaryCrossEntropy(reduction), WeightedCrossEntropy(reduction)
    expected = softmax(two, target, weights)
    torch.testing.assert_close(one_sigmoid(logits, target, weights), expected)


def test_is_pytorchs_own_with_weights_of_one(batch: tuple[torch.Tensor, ...]) -> None:
    logits, target, weights = batch
    expected = F.binary_cross_entropy_with_logits(logits[:, 0], target.float())
    loss = WeightedBinaryCrossEntropy()(logits, target, torch.ones_like(weights))
    torch.testing.assert_close(loss, expected)


def test_unknown_pixels_have_no_gradient(batch: tuple[torch.Tensor, ...]) -> None:
    logits, target, weights = batch
    target[0, 0, 0] = -1
    WeightedBinaryCrossEntropy()(logits.requires_grad_(), target, weights).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0, 0, 0] == 0


def test_a_hopeless_pixel_in_half_precision() -> None:
    logits = torch.full((1, 1, 1, 1), -120.0, dtype=torch.float16)
    ones = torch.ones(1, 1, 1)
    loss = WeightedBinaryCrossEntropy()(logits, ones.int(), ones)
    assert loss.item() == pytest.approx(120)


def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"takes 1 channel of logits, not 2.*activation=sigmoid"):
        WeightedBinaryCrossEntropy()(
            torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, dtype=int), torch.ones(1, 2, 2)
        )
