import re

import jaxtyping
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from unet_exp.geometry import centre_crop
from unet_exp.models.activations import ACTIVATIONS
from unet_exp.models.unet import UNet, cropped

PADDINGS = ["valid", "same"]
UPSAMPLINGS = ["transposed", "bilinear"]
quick = settings(deadline=None, max_examples=25)


def on_paper(**options: int | str) -> UNet:
    """A network that computes shapes only."""
    with torch.device("meta"):
        return UNet(base_channels=1, **options)  # pyright: ignore[reportArgumentType]


@quick
@given(
    depth=st.integers(1, 7),
    upsampling=st.sampled_from(UPSAMPLINGS),
    height=st.integers(1, 2000),
    width=st.integers(1, 2000),
)
def test_output_size_is_what_forward_returns_unpadded(
    depth: int, upsampling: str, height: int, width: int
) -> None:
    net = on_paper(depth=depth, upsampling=upsampling)
    h, w = net.fitting_sizes(height)[1], net.fitting_sizes(width)[1]
    shape = net(torch.empty(1, 1, h, w, device="meta")).shape
    assert shape == (1, 2, net.output_size(h), net.output_size(w))
    assert shape[-2:] == (h - 2 * net.halo, w - 2 * net.halo)


@quick
@given(
    depth=st.integers(1, 7),
    upsampling=st.sampled_from(UPSAMPLINGS),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
)
def test_padded_output_is_as_large_as_the_image(
    depth: int, upsampling: str, height: int, width: int
) -> None:
    net = on_paper(depth=depth, upsampling=upsampling, padding="same")
    assert net(torch.empty(1, 1, height, width, device="meta")).shape == (1, 2, height, width)
    assert (net.output_size(height), net.output_size(width)) == (height, width)


@settings(deadline=None, max_examples=10)
@given(depth=st.integers(1, 3), upsampling=st.sampled_from(UPSAMPLINGS), side=st.integers(1, 140))
def test_sides_fit_where_the_layers_meet_even_sides(depth: int, upsampling: str, side: int) -> None:
    net = on_paper(depth=depth, upsampling=upsampling)
    pooled: list[int] = []
    for block in list(net.contracting)[:-1]:
        block.register_forward_hook(lambda _, __, out: pooled.append(out.shape[-1]))

    def runs(side: int) -> bool:
        pooled.clear()
        try:
            net._logits(torch.empty(1, 1, side, side, device="meta"))
        except (RuntimeError, ValueError):
            return False
        return not any(s % 2 for s in pooled)

    below, above = net.fitting_sizes(side)
    fitting = {s for s in (below, above) if s is not None}
    around = range((below or 1) - 1, above + 2)
    assert {s for s in around if s > 0 and runs(s)} == fitting
    assert (below or 0) <= side <= above


@pytest.mark.parametrize(
    ("size", "remedy"),
    [(573, "572 or 588"), (571, "556 or 572"), (100, "188 or more"), (0, "188 or more")],
)
def test_a_side_that_does_not_fit_is_refused_with_those_that_do(size: int, remedy: str) -> None:
    net = on_paper()
    with pytest.raises(ValueError, match=f"side of {size} pixels .* Take {remedy}, or padding"):
        net.output_size(size)
    if size:
        with pytest.raises(ValueError, match=f"side of {size} pixels"):
            net(torch.empty(1, 1, 572, size, device="meta"))


def test_padded_sides() -> None:
    net = on_paper(padding="same")
    assert net.fitting_sizes(512) == (512, 512)
    assert net.fitting_sizes(500) == (496, 512)
    assert net.fitting_sizes(3) == (None, 16)
    with pytest.raises(ValueError, match=r"side of 0 pixels .* Take 16 or more"):
        net.output_size(0)


def test_halos() -> None:
    """Counted by hand from the layers: 94 pixels at depth 4 when padded, up to the next 16."""
    assert on_paper().halo == 92
    assert on_paper(padding="same").halo == 96
    assert on_paper(depth=1).halo == 8
    assert on_paper(depth=1, padding="same").halo == 8


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_core_of_a_tile_sees_its_halo_and_nothing_beyond(
    depth: int, padding: str, upsampling: str
) -> None:
    torch.manual_seed(depth)
    net = UNet(depth=depth, base_channels=4, padding=padding, upsampling=upsampling).double().eval()
    tile = net.fitting_sizes(2 * net.halo + 1)[1]
    core = tile - 2 * net.halo
    first, last = 2 * net.step, 2 * net.step + tile
    image = torch.rand(1, 1, *2 * [net.fitting_sizes(last + net.halo)[1]]).double()
    at = first if padding == "valid" else first + net.halo

    def logits(image: Tensor) -> Tensor:
        with torch.no_grad():
            return net(image)[..., at : at + core, at : at + core]

    def replaced_outside(start: int, stop: int) -> Tensor:
        other = 10 * torch.rand_like(image)
        other[..., start:stop, start:stop] = image[..., start:stop, start:stop]
        return other

    torch.testing.assert_close(logits(replaced_outside(first, last)), logits(image))
    # Unpadded, the outermost pixel of the halo counts; padded, the halo is rounded up to a step.
    rim = 1 if padding == "valid" else net.step
    assert not torch.allclose(logits(replaced_outside(first + rim, last - rim)), logits(image))


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("padding", PADDINGS)
def test_no_gradient_of_a_logit_reaches_a_step_beyond_the_halo(
    padding: str, upsampling: str
) -> None:
    torch.manual_seed(0)
    net = UNet(depth=2, base_channels=4, padding=padding, upsampling=upsampling).eval()
    side = net.fitting_sizes(4 * net.halo)[1]
    image = torch.rand(1, 1, side, side, requires_grad=True)
    logits = net(image)
    shift = net.halo if padding == "valid" else 0
    reach = 0
    for at in range(side // 2 - shift, side // 2 - shift + net.step):
        (gradient,) = torch.autograd.grad(logits[..., at, at].sum(), image, retain_graph=True)
        seen = gradient[0, 0].nonzero()
        reach = max(reach, int((seen - at - shift).abs().max()))
    assert net.halo // 2 < reach < net.halo + net.step


def test_halving_before_interpolating_is_halving_after_it() -> None:
    net = UNet(depth=1, base_channels=4, upsampling="bilinear")
    halve, interpolate = net.up[0].children()
    x = torch.rand(1, 8, 5, 7)
    torch.testing.assert_close(interpolate(halve(x)), halve(interpolate(x)))


@pytest.mark.parametrize(
    ("norm", "layer"),
    [("batch", nn.BatchNorm2d), ("group", nn.GroupNorm), ("instance", nn.InstanceNorm2d)],
)
def test_a_norm_takes_the_place_of_the_bias(norm: str, layer: type[nn.Module]) -> None:
    net = UNet(depth=2, base_channels=6, norm=norm, padding="same")
    threes = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    assert len(threes) == 10
    assert all(conv.bias is None for conv in threes)
    assert sum(isinstance(m, layer) for m in net.modules()) == 10
    assert all(up.bias is not None for up in net.up)
    out = net(torch.rand(2, 1, 32, 32))
    out.sum().backward()
    assert out.isfinite().all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", ["none", "batch", "group", "instance"])
def test_gradients_with_operations_in_place_are_right(norm: str, activation: str) -> None:
    """Against finite differences, through every option of norm and activation."""
    torch.manual_seed(0)
    net = UNet(
        depth=1, base_channels=1, norm=norm, activation=activation, padding="same", dropout=0.0
    ).double()
    image = torch.rand(1, 1, 4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(net, (image,))


@pytest.mark.parametrize(("height", "width"), [(4, 5), (3, 6), (6, 7), (7, 7)])
def test_a_crop_in_training_is_the_slice_with_its_gradient(height: int, width: int) -> None:
    image = torch.randn(2, 3, 7, 8).contiguous(memory_format=torch.channels_last)
    image.requires_grad_()
    weights = torch.randn(2, 3, height, width).contiguous(memory_format=torch.channels_last)
    found, expected = cropped(image, height, width), centre_crop(image, height, width)
    assert torch.equal(found, expected)
    (gradient,) = torch.autograd.grad((found * weights).sum(), image)
    (by_slice,) = torch.autograd.grad((expected * weights).sum(), image)
    assert torch.equal(gradient, by_slice)
    if height < 7:
        assert gradient.is_contiguous(memory_format=torch.channels_last)
        assert not by_slice.is_contiguous(memory_format=torch.channels_last)


def test_dropout_acts_in_training_only() -> None:
    net = UNet(depth=2, base_channels=4, padding="same")
    image = torch.rand(1, 1, 16, 16)
    assert not torch.equal(net(image), net(image))
    net.eval()
    assert torch.equal(net(image), net(image))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_half_precision(dtype: torch.dtype, upsampling: str) -> None:
    torch.manual_seed(0)
    net = UNet(depth=2, base_channels=4, upsampling=upsampling, norm="batch").eval()
    image = torch.rand(1, 1, 60, 60)
    with torch.no_grad():
        expected = net(image)
        with torch.autocast("cpu", torch.bfloat16):
            automatic = net(image)
        half = net.to(dtype)(image.to(dtype))
    scale = expected.abs().max()
    assert automatic.dtype == torch.bfloat16
    assert half.dtype == dtype
    assert (automatic - expected).abs().max() < 0.05 * scale
    assert (half - expected).abs().max() < 0.05 * scale


@pytest.mark.parametrize("padding", PADDINGS)
def test_channels_last(padding: str) -> None:
    net = UNet(in_channels=3, depth=2, base_channels=4, padding=padding).eval()
    image = torch.rand(2, 3, 60, 60)
    expected = net(image)
    moved = net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    out = moved(image.to(memory_format=torch.channels_last))
    assert out.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", PADDINGS)
def test_compiles_to_a_single_graph(padding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # checks cannot be traced
    net = UNet(depth=2, base_channels=2, padding=padding).eval()
    image = torch.rand(1, 1, 60, 60 if padding == "valid" else 41)
    with torch.no_grad():
        compiled = torch.compile(net, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(image), net(image))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "reflect"}, "padding=reflect is unknown. Choose one of valid, same."),
        ({"norm": "layer"}, "Choose one of none, batch, group, instance."),
        ({"upsampling": "nearest"}, "Choose one of transposed, bilinear."),
        ({"activation": "tanh"}, "Choose one of relu, leaky_relu, elu, gelu, silu, scaled_tanh."),
        ({"depth": 0}, "depth=0 is out of range. Choose a value from 1 to 7."),
        ({"depth": 8}, "depth=8 is out of range"),
        ({"base_channels": 0}, "base_channels=0 is out of range. Choose a value 1 or more."),
        ({"in_channels": 0}, "in_channels=0 is out of range"),
        ({"out_channels": 0}, "out_channels=0 is out of range"),
        ({"dropout": 1.5}, "dropout=1.5 is out of range. Choose a value from 0 to 1."),
    ],
)
def test_bad_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        UNet(**options)


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="3 channels and the network takes 1"):
        on_paper(padding="same")(torch.empty(1, 3, 16, 16, device="meta"))
