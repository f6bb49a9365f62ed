"""A network with folded normalizations gives the same output."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from unet_exp.inference.folding import fold_batch_norm
from unet_exp.models.sliding_window import SlidingWindow
from unet_exp.models.unet import UNet


def seen_images(network: UNet) -> UNet:
    """A network whose batch norm has statistics, weights and biases other than the initial."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.normal_(layer.bias)
            for _ in range(2):
                layer(2 + 3 * torch.randn(2, layer.num_features, 9, 9))
    return network.eval()


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_logits_are_the_same_and_no_batch_norm_is_left(padding: str, upsampling: str) -> None:
    torch.manual_seed(0)
    network = UNet(depth=2, base_channels=4, padding=padding, norm="batch", upsampling=upsampling)
    network, image = seen_images(network).double(), torch.randn(2, 1, 76, 76).double()
    folded = fold_batch_norm(copy.deepcopy(network))
    torch.testing.assert_close(folded(image), network(image), rtol=0, atol=1e-10)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in folded.modules())


def test_the_memory_format_of_weights_stays() -> None:
    network = UNet(depth=1, base_channels=4, norm="batch").eval()
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    for layer in fold_batch_norm(network).modules():
        if isinstance(layer, nn.Conv2d):
            assert layer.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("network", [UNet(depth=1, base_channels=2), SlidingWindow()])
def test_a_network_without_batch_norm_stays_as_it_is(network: nn.Module) -> None:
    layers = list(network.eval().modules())
    assert list(fold_batch_norm(network).modules()) == layers


def test_a_batch_norm_that_follows_something_else_stays() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2)).eval()
    assert isinstance(fold_batch_norm(network)[2], nn.BatchNorm2d)


class ReluBetween(nn.Sequential):
    """Layers in an order of their own."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self[1](self[0](image).relu())


def hooked() -> nn.Sequential:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    network[1].register_forward_hook(lambda _module, _inputs, output: output + 1)
    return network


@pytest.mark.parametrize(
    "network",
    [
        ReluBetween(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)),
        nn.Sequential(parametrizations.weight_norm(nn.Conv2d(1, 2, 3)), nn.BatchNorm2d(2)),
        nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(1, 2, 3)), nn.BatchNorm2d(2)),
        hooked(),
    ],
)
def test_layers_that_do_more_than_torchs_stay(network: nn.Sequential) -> None:
    image = torch.randn(2, 1, 9, 9)
    network.train()(image)  # statistics other than the initial
    network.eval()
    before = network(image)
    torch.testing.assert_close(fold_batch_norm(network)(image), before, rtol=0, atol=0)


def test_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"training mode.*network.eval\(\)"):
        fold_batch_norm(UNet(depth=1, base_channels=2, norm="batch"))
