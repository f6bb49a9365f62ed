import numpy as np
import pytest
import torch
from torch import nn

from unet_exp.losses.dice import Dice
from unet_exp.losses.weighted_binary_cross_entropy import WeightedBinaryCrossEntropy
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
from unet_exp.losses.weighted_sum import WeightedSum
from unet_exp.models.unet import UNet
from unet_exp.targets.foreground import Foreground
from unet_exp.targets.target import require_match, require_target, target_tensor, unknown_pixels


def network(channels: int) -> UNet:
    return UNet(depth=1, base_channels=1, out_channels=channels)


@pytest.mark.parametrize(
    ("target", "loss"),
    [
        (Foreground(), WeightedCrossEntropy()),
        (Foreground(3), Dice()),
        (Foreground(3), WeightedSum({"a": WeightedCrossEntropy("sum"), "b": Dice()})),
        (Foreground(activation="sigmoid"), WeightedBinaryCrossEntropy()),
        (Foreground(activation="sigmoid"), Dice()),
    ],
)
def test_matching_parts_are_accepted(target: Foreground, loss: nn.Module) -> None:
    require_match(target, network(target.out_channels), loss)


@pytest.mark.parametrize(
    ("target", "loss", "message"),
    [
        (
            Foreground(),
            WeightedBinaryCrossEntropy(),
            r"WeightedBinaryCrossEntropy does not fit the target Foreground: .* 1 channel.*"
            r"Choose loss=weighted_cross_entropy or loss=dice",
        ),
        (
            Foreground(activation="sigmoid"),
            WeightedCrossEntropy(),
            r"softmax of 1 channel is always 1.*loss=weighted_binary_cross_entropy or loss=dice",
        ),
        (Foreground(), nn.MSELoss(), r"MSELoss does not fit.*Choose loss=weighted_cross_entropy"),
    ],
)
def test_another_loss_is_refused(target: Foreground, loss: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        require_match(target, network(target.out_channels), loss)


def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has 5 output channels, and the target needs 2\. Leave"):
        require_match(Foreground(), network(5), WeightedCrossEntropy())


def test_the_error_of_an_incomplete_target_names_what_is_missing() -> None:
    class Half:
        num_classes, maps, gap, height = 2, (), 0, None

        def evidence(self, output: torch.Tensor) -> torch.Tensor:
            return output

    told = r"target: \S+Half lacks smoothing, seed_threshold, out_channels, losses, encode\. "
    with pytest.raises(TypeError, match=told):
        require_target(Half())


def test_evidence_has_a_channel_for_each_class_and_each_map() -> None:
    class High(Foreground):
        maps = ("height",)

    require_target(Foreground(3))
    with pytest.raises(ValueError, match=r"evidence of High returns shape \(1, 2, 2, 3\).*\(1, 3"):
        require_target(High())


def test_a_loss_of_several_numbers_is_refused() -> None:
    class Each(nn.Module):
        def forward(self, output: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
            return output.mean((0, 1))

    with pytest.raises(ValueError, match=r"Each does not fit .*it returns shape \(2, 3\)"):
        require_match(Foreground(), network(2), Each())


def test_unknown_pixels_of_channels() -> None:
    target = np.zeros((2, 1, 3), np.float32)
    target[0, 0, 1], target[1, 0, 2] = np.nan, -1.0
    np.testing.assert_array_equal(unknown_pixels(target), [[False, True, False]])


def test_a_tensor_of_classes_or_of_finite_numbers() -> None:
    classes = target_tensor(np.array([[-1, 2]], np.int16))
    assert classes.dtype == torch.int64
    assert classes.tolist() == [[-1, 2]]
    numbers = target_tensor(np.array([[[np.nan, -0.5]]], np.float32))
    assert numbers.dtype == torch.float32
    assert numbers.tolist() == [[[0.0, -0.5]]]


def test_a_rehearsal_on_the_meta_device_checks_as_well() -> None:
    with torch.device("meta"):
        require_match(Foreground(), network(2), WeightedCrossEntropy())
        with pytest.raises(ValueError, match="does not fit the target"):
            require_match(Foreground(), network(2), WeightedBinaryCrossEntropy())
