import pytest
import torch
from torch import nn

from unet_exp.losses.dice import Dice
from unet_exp.losses.loss import Loss, require_loss, require_number


def test_a_loss_is_a_module() -> None:
    require_loss(Dice())
    assert isinstance(Dice(), Loss)
    with pytest.raises(TypeError, match=r"loss: function is no torch.nn.Module\. .*inherits from"):
        require_loss(nn.functional.mse_loss)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (0.5, "it returns a float, and not a tensor"),
        (torch.zeros(1, 2, requires_grad=True), r"it returns shape \(1, 2\), and not one number"),
        (torch.tensor(0.5), "a number without a gradient"),
    ],
)
def test_a_loss_returns_one_number_with_a_gradient(found: object, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        require_number(found)
    require_number(torch.tensor(0.5, requires_grad=True))
