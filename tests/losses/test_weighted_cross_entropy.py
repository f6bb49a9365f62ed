import pytest
import torch
import torch.nn.functional as F

from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, 7, generator=random)
    target = torch.randint(0, 3, (2, 5, 7), generator=random)
    weights = torch.rand(2, 5, 7, generator=random)
    weights[:, :, 3:] = 0
    return logits, target, weights


def test_mean_is_over_pixels_that_have_a_weight(batch: tuple[torch.Tensor, ...]) -> None:
    logits, target, weights = batch
    pixels = F.cross_entropy(logits, target, reduction="none")
    expected = (pixels * weights)[:, :, :3].mean()
    assert WeightedCrossEntropy()(logits, target, weights) == pytest.approx(expected.item())


def test_with_weights_of_one_it_is_the_usual_cross_entropy(
    batch: tuple[torch.Tensor, ...],
) -> None:
    logits, target, _ = batch
    loss = WeightedCrossEntropy()(logits, target, torch.ones(2, 5, 7))
    assert loss.item() == pytest.approx(F.cross_entropy(logits, target).item())


def test_unknown_pixels_have_no_gradient(batch: tuple[torch.Tensor, ...]) -> None:
    logits, target, _ = batch
    target[0, 0, 0] = -1
    WeightedCrossEntropy()(logits.requires_grad_(), target, torch.ones(2, 5, 7)).backward()
    assert logits.grad is not None
    assert (logits.grad[0, :, 0, 0] == 0).all()
    assert (logits.grad[0, :, 0, 1] != 0).all()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_tile_without_any_weight_costs_nothing_and_can_be_trained_on(
    batch: tuple[torch.Tensor, ...], reduction: str
) -> None:
    logits, target, weights = batch
    loss = WeightedCrossEntropy(reduction)(logits.requires_grad_(), target, 0 * weights)
    assert loss.item() == 0
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_a_hopeless_pixel_in_half_precision() -> None:
    # In float16 the probability of class 1 would be 0, and its logarithm infinite.
    logits = torch.tensor([60.0, -60.0], dtype=torch.float16).reshape(1, 2, 1, 1)
    loss = WeightedCrossEntropy("sum")(logits, torch.ones(1, 1, 1, dtype=int), torch.ones(1, 1, 1))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(120)


def test_many_pixels_in_half_precision_do_not_overflow() -> None:
    logits = torch.zeros(1, 2, 400, 400, dtype=torch.float16)
    weights = torch.full((1, 400, 400), 10.0, dtype=torch.float16)
    target = torch.zeros(1, 400, 400, dtype=int)
    loss = WeightedCrossEntropy("sum")(logits, target, weights)
    assert loss.item() == pytest.approx(1.6e6 * 0.6931472)


def test_one_channel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"always 1: target\.activation=softmax makes"):
        WeightedCrossEntropy()(
            torch.zeros(1, 1, 2, 2), torch.zeros(1, 2, 2, dtype=int), torch.ones(1, 2, 2)
        )


def test_an_unknown_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"reduction=average is unknown.*mean, sum"):
        WeightedCrossEntropy("average")
