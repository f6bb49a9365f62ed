from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unet_exp.inference import overlap_tile as module
from unet_exp.inference.overlap_tile import OverlapTile, overlap_tile
from unet_exp.models.unet import UNet


def whole_image(network: UNet, image: Tensor) -> Tensor:
    """Mirror the image (by numpy) and pass it through the network at once."""
    halo, (height, width) = network.halo, image.shape[-2:]
    pads = [(0, 0)]
    for side in (height, width):
        pads.append((halo, network.fitting_sizes(side + 2 * halo)[1] - side - halo))
    mirrored = torch.from_numpy(np.pad(image.numpy(), pads, mode="reflect"))
    with torch.no_grad():
        logits = network(mirrored[None])[0]
    first = halo if network.padding == "same" else 0
    return logits[:, first : first + height, first : first + width]


def trained_looking(network: UNet) -> UNet:
    """Give batch norm statistics and biases other than the initial ones."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            layer.running_mean.normal_(0, 0.2)
            layer.running_var.uniform_(0.5, 2)
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.normal_(layer.bias, 0, 0.2)
    return network.eval()


def smallest_tile(network: UNet) -> int:
    return network.fitting_sizes(2 * network.halo + network.step)[1]


def assert_seamless(network: UNet, image: Tensor, tile: int, batch_size: int = 1) -> None:
    """Compare within 1e-5 of the largest logit. The random logits reach 50."""
    expected = whole_image(network, image)
    logits = overlap_tile(network, image, tile, batch_size)
    assert logits.shape == expected.shape
    assert (logits - expected).abs().max() <= 1e-5 * expected.abs().max()


@settings(deadline=None, max_examples=40)
@given(
    depth=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same"]),
    norm=st.sampled_from(["none", "batch"]),
    upsampling=st.sampled_from(["transposed", "bilinear"]),
    channels=st.integers(1, 3),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    room=st.integers(0, 30),
    batch_size=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_tiled_equals_the_whole_image(
    depth: int,
    padding: str,
    norm: str,
    upsampling: str,
    channels: int,
    height: int,
    width: int,
    room: int,
    batch_size: int,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    network = trained_looking(
        UNet(channels, 3, depth, 4, padding=padding, norm=norm, upsampling=upsampling)
    )
    image = torch.rand(channels, height, width)
    assert_seamless(network, image, smallest_tile(network) + room, batch_size)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("depth", "norm", "shape"),
    [(4, "none", (150, 70)), (4, "batch", (67, 149)), (5, "none", (33, 97)), (6, "batch", (65, 9))],
)
def test_tiled_equals_the_whole_image_in_deep_networks(
    depth: int, norm: str, shape: tuple[int, int], padding: str
) -> None:
    torch.manual_seed(depth)
    network = trained_looking(UNet(depth=depth, base_channels=2, padding=padding, norm=norm))
    assert_seamless(network, torch.rand(1, *shape), smallest_tile(network))


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_tiles_are_the_whole_image_but_for_rounding(padding: str) -> None:
    torch.manual_seed(0)
    network = trained_looking(UNet(depth=3, base_channels=4, padding=padding, norm="batch"))
    network, image = network.double(), torch.rand(1, 75, 130).double()
    logits = overlap_tile(network, image, smallest_tile(network))
    torch.testing.assert_close(logits, whole_image(network, image), rtol=0, atol=1e-12)


class Recorder(UNet):
    """A network that records its inputs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(base_channels=1, **options)
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, image: Tensor) -> Tensor:
        self.shapes.append(tuple(image.shape))
        return super().forward(image)


def recorder(**options: int | str) -> Recorder:
    return Recorder(**options).eval()


@pytest.mark.parametrize(
    ("padding", "side"),
    [("valid", 700), ("same", 512 + 2 * 96)],
)
def test_an_image_that_fits_takes_one_pass_over_no_more_than_it_needs(
    padding: str, side: int
) -> None:
    network = recorder(padding=padding)
    overlap_tile(network, torch.rand(1, 512, 512))
    assert network.shapes == [(1, 1, side, side)]


def test_a_large_tile_is_cut_to_the_image() -> None:
    network = recorder(depth=2, padding="same")
    overlap_tile(network, torch.rand(1, 5, 17), tile=4096)
    assert network.shapes == [(1, 1, 8 + 2 * 24, 20 + 2 * 24)]


def test_tiles_of_the_article_and_their_batches() -> None:
    """Two cores of 260 pixels cover 512, so tiles need not have the 572 that were allowed."""
    network = recorder()
    overlap_tile(network, torch.rand(1, 512, 512), tile=572, batch_size=3)
    assert network.shapes == [(3, 1, 444, 444), (1, 1, 444, 444)]


def test_the_tile_that_is_chosen_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANYWHERE", 100)
    monkeypatch.setattr(module, "largest_side", lambda *_: 120)
    network = recorder(depth=2, padding="same")
    overlap_tile(network, torch.rand(1, 300, 40))
    assert {shape[-2:] for shape in network.shapes} == {(108, 88)}
    assert len(network.shapes) == 5


def test_the_result_is_an_ordinary_tensor_on_the_images_device() -> None:
    network = UNet(depth=1, base_channels=1).eval()
    image = torch.rand(1, 20, 20, requires_grad=True)
    logits = overlap_tile(network, image)
    assert not logits.requires_grad
    assert not logits.is_inference()
    assert logits.device == image.device
    logits += 1


def test_image_takes_the_networks_data_type() -> None:
    network = UNet(depth=1, base_channels=2).eval().to(torch.bfloat16)
    assert overlap_tile(network, torch.rand(1, 9, 9)).dtype == torch.bfloat16


def test_any_callable_that_knows_its_geometry() -> None:
    class Doubling:
        in_channels, out_channels, padding = 2, 2, "same"
        step, halo = 1, 2

        def output_size(self, size: int) -> int:
            return size

        def fitting_sizes(self, size: int) -> tuple[int | None, int]:
            return size, size

        def __call__(self, image: Tensor) -> Tensor:
            return 2 * image

    image = torch.rand(2, 7, 11)
    assert torch.equal(overlap_tile(Doubling(), image, tile=6), 2 * image)


@pytest.mark.parametrize(
    ("norm", "layer"), [("group", "GroupNorm"), ("instance", "InstanceNorm2d")]
)
def test_norms_of_single_tiles_are_warned_of(norm: str, layer: str) -> None:
    network = recorder(depth=1, norm=norm, padding="same")
    overlap_tile(network, torch.rand(1, 30, 30))  # a single tile has no seams
    with pytest.warns(UserWarning, match=f"The network has {layer}, which normalises each tile"):
        overlap_tile(network, torch.rand(1, 30, 30), tile=24)


def test_training_mode_is_refused() -> None:
    network = UNet(depth=1, base_channels=1)
    with pytest.raises(ValueError, match=r"training mode.*Call network.eval\(\)"):
        overlap_tile(network, torch.rand(1, 30, 30))
    assert network.training


@pytest.mark.parametrize("tile", [0, 100, 199])
def test_a_tile_smaller_than_the_context_is_refused(tile: int) -> None:
    network = UNet(base_channels=1).eval()
    with pytest.raises(ValueError, match=f"tile of {tile} pixels .* take 204 or more"):
        overlap_tile(network, torch.rand(1, 400, 400), tile=tile)


@pytest.mark.parametrize("tile", [0, -3])
def test_a_tile_without_pixels_is_refused_with_the_configuration(tile: int) -> None:
    with pytest.raises(ValueError, match=rf"tile={tile} is out of range\. Choose a value 1 or"):
        OverlapTile(tile=tile)


def test_an_empty_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size=0"):
        overlap_tile(UNet(depth=1, base_channels=1).eval(), torch.rand(1, 9, 9), batch_size=0)
