"""Figure 1 of arXiv:1505.04597: every number that stands in it, and the article's section 2."""

import pytest
import torch
from torch import nn

from unet_exp.models.unet import UNet


@pytest.fixture(scope="module")
def unet() -> UNet:
    with torch.device("meta"):
        return UNet()


def test_sides_and_channels_of_every_map(unet: UNet) -> None:
    maps: list[tuple[int, int]] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, out: maps.append((out.shape[1], out.shape[-1])))
        for layer in unet.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    logits = unet(torch.empty(1, 1, 572, 572, device="meta"))
    for hook in hooks:
        hook.remove()
    assert logits.shape == (1, 2, 388, 388)
    assert maps == [
        *[(64, 570), (64, 568)],
        *[(128, 282), (128, 280)],
        *[(256, 138), (256, 136)],
        *[(512, 66), (512, 64)],
        *[(1024, 30), (1024, 28)],
        *[(512, 56), (512, 54), (512, 52)],
        *[(256, 104), (256, 102), (256, 100)],
        *[(128, 200), (128, 198), (128, 196)],
        *[(64, 392), (64, 390), (64, 388)],
        (2, 388),
    ]


def test_copied_maps_are_concatenated_before_the_expanding_convolutions(unet: UNet) -> None:
    first = [block.get_submodule("0") for block in unet.expanding]
    assert [c.in_channels for c in first if isinstance(c, nn.Conv2d)] == [1024, 512, 256, 128]


def test_23_convolutional_layers_in_total(unet: UNet) -> None:
    layers = [m for m in unet.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(layers) == 23
    assert sorted({layer.kernel_size for layer in layers}) == [(1, 1), (2, 2), (3, 3)]
    assert all(layer.padding == (0, 0) and layer.bias is not None for layer in layers)


def test_parameters(unet: UNet) -> None:
    def conv(into: int, out: int, taps: int) -> int:
        return taps * into * out + out

    levels = [64, 128, 256, 512, 1024]
    down = sum(conv(i, o, 9) + conv(o, o, 9) for i, o in zip([1, *levels], levels, strict=False))
    up = sum(conv(2 * o, o, 4) + conv(2 * o, o, 9) + conv(o, o, 9) for o in levels[:-1])
    assert down + up + conv(64, 2, 1) == 31_030_658
    assert sum(p.numel() for p in unet.parameters()) == 31_030_658


def test_context_that_the_overlap_tile_strategy_mirrors(unet: UNet) -> None:
    assert unet.output_size(572) == 388
    assert unet.halo == (572 - 388) // 2
    assert unet.step == 16


def test_every_max_pooling_meets_an_even_side(unet: UNet) -> None:
    for side in range(560, 610):
        at, even = side, True
        for _ in range(4):
            even, at = even and at % 2 == 0, (at - 4) // 2
        assert (unet.fitting_sizes(side) == (side, side)) == even


def test_initial_weights() -> None:
    """Standard deviation sqrt(2 / N): "for a 3x3 convolution and 64 channels N = 9 * 64 = 576"."""
    torch.manual_seed(0)
    unet = UNet(depth=2)
    layers = dict(unet.named_modules())
    for name, incoming in {
        "contracting.0.2": 576,
        "contracting.2.2": 9 * 256,
        "expanding.1.0": 9 * 128,
        "up.0": 256,  # stride 2: each output pixel meets one tap of the 2 x 2, in 256 channels
        "classify": 64,
    }.items():
        layer = layers[name]
        assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
        weight = layer.weight.detach()
        within = 4 / (2 * weight.numel()) ** 0.5  # four standard errors of a standard deviation
        assert weight.std() == pytest.approx((2 / incoming) ** 0.5, rel=within), name
        assert layer.bias is not None
        assert not layer.bias.any()


def test_dropout_at_the_end_of_the_contracting_path(unet: UNet) -> None:
    """As in the authors' network: behind the maps of 512 and 1024 channels, before the copy."""
    seen: list[tuple[int, ...]] = []
    hook = unet.dropout.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape)))
    unet(torch.empty(1, 1, 572, 572, device="meta"))
    hook.remove()
    assert seen == [(1, 512, 64, 64), (1, 1024, 28, 28)]
    assert unet.dropout.p == 0.5
