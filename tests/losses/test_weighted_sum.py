import pytest
import torch

from unet_exp.losses.dice import Dice
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
from unet_exp.losses.weighted_sum import WeightedSum


def test_is_the_sum_of_its_terms() -> None:
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, 7, generator=random)
    target = torch.randint(0, 3, (2, 5, 7), generator=random)
    weights = torch.rand(2, 5, 7, generator=random)
    terms = {"entropy": WeightedCrossEntropy(), "dice": Dice(background=True)}
    loss = WeightedSum(terms, {"dice": 0.25})
    entropy, dice = (term(logits, target, weights) for term in terms.values())
    torch.testing.assert_close(loss(logits, target, weights), entropy + 0.25 * dice)


def test_nothing_to_sum_is_refused() -> None:
    with pytest.raises(ValueError, match="Name at least one loss in `terms`"):
        WeightedSum()


def test_a_factor_without_a_term_is_refused() -> None:
    with pytest.raises(ValueError, match="weights names dyce, but the terms are dice"):
        WeightedSum({"dice": Dice()}, {"dyce": 2.0})
