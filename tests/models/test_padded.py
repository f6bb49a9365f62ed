"""A network of another library, adapted: used whole, by tiles, and in training."""

import pytest
import torch
from torch import nn

from unet_exp.inference.overlap_tile import overlap_tile
from unet_exp.models.network import Network
from unet_exp.models.padded import Padded
from unet_exp.models.sliding_window import SlidingWindow
from unet_exp.models.unet import UNet

#: Pixels to each side that ``monai_unet`` looks at.
SEEN = 10


def monai_unet() -> nn.Module:
    """MONAI's U-Net with two strides of 2; its batch norm has seen some data."""
    nets = pytest.importorskip("monai.networks.nets")
    torch.manual_seed(0)
    network = nets.UNet(2, 1, 3, channels=(4, 8, 16), strides=(2, 2), norm="batch")
    for _ in range(5):
        network(torch.rand(2, 1, 32, 32))
    return network.double().eval()


@pytest.mark.parametrize(
    "network",
    [
        UNet(base_channels=1),
        SlidingWindow(maps=1),
        Padded(nn.Identity(), step=1, halo=0, out_channels=1),
    ],
    ids=lambda network: type(network).__name__,
)
def test_networks_meet_the_protocol(network: nn.Module) -> None:
    assert isinstance(network, Network)


def test_sides_are_padded_to_multiples_of_the_step() -> None:
    network = Padded(monai_unet(), step=4, halo=SEEN, out_channels=3)
    assert (network.step, network.halo, network.padding) == (4, 12, "same")
    assert network.fitting_sizes(64) == (64, 64)
    assert network.fitting_sizes(66) == (64, 68)
    assert network.fitting_sizes(3) == (None, 4)
    assert network.output_size(37) == 37
    image = torch.rand(2, 1, 37, 50).double()
    padded = nn.functional.pad(image, (0, 2, 0, 3), mode="reflect")
    with torch.no_grad():
        assert torch.equal(network(image), network.network(padded)[..., :37, :50])


def test_the_halo_is_what_a_pixel_depends_on() -> None:
    """Any seen pixel changes the output: gradients of a network of positive weights."""
    network = monai_unet()
    for parameter in network.parameters():
        parameter.data = parameter.data.abs() + 0.01
    reach = 0
    for pixel in range(32, 36):
        image = torch.rand(1, 1, 64, 64).double().requires_grad_()
        network(image)[0, 0, pixel, pixel].backward()
        assert image.grad is not None
        seen = torch.nonzero(image.grad[0, 0])
        reach = max(reach, int((seen - pixel).abs().max()))
    assert reach == SEEN


@pytest.mark.parametrize(("halo", "seamless"), [(SEEN, True), (4, False)])
def test_tiles_of_a_monai_network_meet_without_seams(halo: int, seamless: bool) -> None:
    network = Padded(monai_unet(), step=4, halo=halo, out_channels=3).eval()
    image = torch.rand(1, 61, 97).double()
    mirrored = nn.functional.pad(image[None], (12, 15, 12, 15), mode="reflect")
    with torch.no_grad():
        whole = network(mirrored)[0, :, 12 : 12 + 61, 12 : 12 + 97]
    tiles = overlap_tile(network, image, tile=40)
    assert torch.allclose(tiles, whole, atol=1e-9) == seamless


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        (
            nn.Conv2d(1, 3, 1),
            {},
            r"\(1, 3, 8, 8\), not \(1, 2, 8, 8\)\. .* out_channels=2",
        ),
        (nn.Conv2d(1, 2, 3), {}, r"returned \(1, 2, 6, 6\), not \(1, 2, 8, 8\)"),
        (nn.Conv2d(3, 2, 1), {"in_channels": 3}, "has 1 channels and the network takes 3"),
        (nn.Identity(), {"step": 0}, "step=0 is out of range"),
        (nn.Identity(), {"halo": -1}, "halo=-1 is out of range"),
        (nn.Identity(), {"in_channels": 0}, "in_channels=0 is out of range"),
        (nn.Identity(), {"out_channels": 0}, "out_channels=0 is out of range"),
    ],
)
def test_networks_that_do_not_fit_are_refused(
    layers: nn.Module, options: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Padded(layers, **{"step": 4, "halo": 0, **options})(torch.zeros(1, 1, 7, 8))
