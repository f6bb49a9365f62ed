import numpy as np
import pytest
import torch

from unet_exp.losses.dice import Dice


def sure(target: torch.Tensor, classes: int) -> torch.Tensor:
    """Return logits of nearly certain classes."""
    return 200.0 * torch.nn.functional.one_hot(target, classes).movedim(-1, 1)


def test_of_sure_predictions_is_one_minus_dice() -> None:
    random = np.random.default_rng(0)
    true, predicted = random.random((2, 1, 30, 40)) < 0.4
    expected = 1 - 2 * (true & predicted).sum() / (true.sum() + predicted.sum())
    target = torch.from_numpy(true).long()
    loss = Dice(smooth=1e-3)(
        sure(torch.from_numpy(predicted).long(), 2), target, torch.ones(1, 30, 40)
    )
    assert loss.item() == pytest.approx(expected, abs=1e-4)


def test_a_pixel_of_weight_two_counts_twice() -> None:
    target, predicted = torch.tensor([[[1, 1, 0]]]), torch.tensor([[[1, 0, 1]]])
    loss = Dice(smooth=1e-6)(sure(predicted, 2), target, torch.tensor([[[2.0, 1.0, 1.0]]]))
    assert loss.item() == pytest.approx(1 - 2 * 2 / (3 + 3), abs=1e-5)


def test_weight_zero_and_unknown_pixels_do_not_count() -> None:
    target = torch.tensor([[[1, 0, 1, -1]]])
    predicted = torch.tensor([[[1, 0, 0, 1]]])
    weights = torch.tensor([[[1.0, 1.0, 0.0, 1.0]]])
    assert Dice(smooth=1e-6)(sure(predicted, 2), target, weights).item() == pytest.approx(0)


def test_the_mean_is_over_the_classes() -> None:
    target = torch.tensor([[[1, 1, 2, 2, 0, 0]]])
    predicted = torch.tensor([[[1, 1, 0, 0, 0, 0]]])
    weights = torch.ones(1, 1, 6)
    logits = sure(predicted, 3)
    foreground = Dice(smooth=1e-6)(logits, target, weights)
    assert foreground.item() == pytest.approx(1 - (1 + 0) / 2, abs=1e-5)
    everything = Dice(background=True, smooth=1e-6)(logits, target, weights)
    assert everything.item() == pytest.approx(1 - (2 * 2 / 6 + 1 + 0) / 3, abs=1e-5)


def test_one_sigmoid_channel_is_the_softmax_of_zero_and_the_channel() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 1, 5, 7, generator=random)
    target = torch.randint(0, 2, (2, 5, 7), generator=random)
    weights = torch.rand(2, 5, 7, generator=random)
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    torch.testing.assert_close(Dice()(logits, target, weights), Dice()(two, target, weights))


def test_an_empty_tile_costs_nothing_and_can_be_trained_on() -> None:
    logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
    loss = Dice()(logits, torch.ones(1, 4, 4, dtype=int), torch.zeros(1, 4, 4))
    assert loss.item() == 0
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_half_precision_does_not_overflow() -> None:
    logits = torch.zeros(1, 2, 400, 400, dtype=torch.float16)
    target = torch.ones(1, 400, 400, dtype=int)
    loss = Dice()(logits, target, torch.full((1, 400, 400), 5.0, dtype=torch.float16))
    assert loss.item() == pytest.approx(1 - 2 * 0.5 / 1.5, abs=1e-4)


def test_no_smoothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"smooth = 0\.0.*above 0"):
        Dice(smooth=0.0)
