import re

import jaxtyping
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unet_exp.geometry import mirror_pad
from unet_exp.inference.overlap_tile import overlap_tile
from unet_exp.models.activations import ACTIVATIONS
from unet_exp.models.sliding_window import SlidingWindow

quick = settings(deadline=None, max_examples=15)


def windows(image: Tensor) -> Tensor:
    """Every window of images (b, c, h, w), cut out one by one: (b * rows * columns, c, 95, 95)."""
    cut = image.unfold(2, 95, 1).unfold(3, 95, 1)
    return cut.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)


def window_by_window(network: SlidingWindow, image: Tensor) -> Tensor:
    rows, columns = image.shape[-2] - 94, image.shape[-1] - 94
    logits = network(windows(image))
    assert logits.shape[-2:] == (1, 1)
    return logits.reshape(len(image), rows, columns, -1).movedim(-1, 1)


@pytest.mark.parametrize(("channels", "classes"), [(1, 2), (3, 3)])
def test_the_dense_form_is_the_network_of_every_window(channels: int, classes: int) -> None:
    torch.manual_seed(0)
    network = SlidingWindow(in_channels=channels, out_channels=classes).eval()
    image = torch.randn(1, channels, 103, 99)
    with torch.no_grad():
        expected, dense = window_by_window(network, image), network(image)
    assert dense.shape == (1, classes, 9, 5)
    assert dense.std() > 0.01
    torch.testing.assert_close(dense, expected, rtol=0, atol=1e-5)


@quick
@given(
    height=st.integers(95, 115),
    width=st.integers(95, 115),
    batch=st.integers(1, 2),
    activation=st.sampled_from(list(ACTIVATIONS)),
)
def test_at_any_side_and_with_any_activation(
    height: int, width: int, batch: int, activation: str
) -> None:
    torch.manual_seed(height * width)
    network = SlidingWindow(maps=3, hidden=5, activation=activation).eval()
    image = torch.randn(batch, 1, height, width)
    with torch.no_grad():
        torch.testing.assert_close(
            network(image), window_by_window(network, image), rtol=0, atol=1e-5
        )


def test_a_tile_has_the_gradients_of_its_windows() -> None:
    torch.manual_seed(0)
    network = SlidingWindow(maps=3, hidden=5).double()
    image = torch.randn(1, 1, 98, 104, dtype=torch.float64)
    weights = torch.randn(1, 2, 4, 10, dtype=torch.float64)
    parameters = list(network.parameters())
    dense = torch.autograd.grad((weights * network(image)).sum(), parameters)
    single = torch.autograd.grad((weights * window_by_window(network, image)).sum(), parameters)
    for one, other in zip(dense, single, strict=True):
        torch.testing.assert_close(one, other)


@quick
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    tile=st.integers(95, 140),
    batch_size=st.integers(1, 4),
)
def test_tiles_are_seamless(height: int, width: int, tile: int, batch_size: int) -> None:
    torch.manual_seed(height * width)
    network = SlidingWindow(maps=2, hidden=3).eval()
    image = torch.randn(1, height, width)
    if tile < 100:  # a tile of one window would be one for each pixel
        image = image[:, :5, :5]
    logits = overlap_tile(network, image, tile=tile, batch_size=batch_size)
    assert logits.shape == (2, *image.shape[-2:])
    with torch.no_grad():
        whole = network(mirror_pad(image, 47, 47, 47, 47)[None])[0]
    torch.testing.assert_close(logits, whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [95, 96, 606])
def test_every_side_from_the_window_on_fits(size: int) -> None:
    network = SlidingWindow(maps=1)
    assert network.fitting_sizes(size) == (size, size)
    assert network.output_size(size) == size - 2 * 47


def test_a_side_smaller_than_the_window_is_refused() -> None:
    network = SlidingWindow(maps=1)
    assert network.fitting_sizes(94) == (None, 95)
    with pytest.raises(ValueError, match=r"94 pixels is smaller than the window. Take 95 or more"):
        network(torch.zeros(1, 1, 95, 94))


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="3 channels and the network takes 1"):
        SlidingWindow(maps=1)(torch.zeros(1, 3, 95, 95))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "tanh"}, "activation=tanh is unknown. Choose one of relu, "),
        ({"in_channels": 0}, "in_channels=0 is out of range"),
        ({"out_channels": 0}, "out_channels=0 is out of range"),
        ({"maps": 0}, "maps=0 is out of range. Choose a value 1 or more."),
        ({"hidden": 0}, "hidden=0 is out of range"),
        ({"dropout": 2}, "dropout=2 is out of range. Choose a value from 0 to 1."),
    ],
)
def test_bad_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        SlidingWindow(**options)


def test_dropout_acts_in_training_only() -> None:
    network = SlidingWindow(maps=4, hidden=32, dropout=0.5)
    image = torch.rand(1, 1, 95, 97)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


@pytest.mark.parametrize("side", [95, 100])
def test_bfloat16_and_channels_last(side: int) -> None:
    torch.manual_seed(0)
    network = SlidingWindow(maps=8, hidden=16).eval()
    image = torch.rand(2, 1, side, side)
    with torch.no_grad():
        expected = network(image)
        with torch.autocast("cpu", torch.bfloat16):
            automatic = network(image)
        network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        moved = network(image.to(memory_format=torch.channels_last))
    assert automatic.dtype == torch.bfloat16
    assert (automatic - expected).abs().max() < 0.05 * expected.abs().max()
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("side", [95, 100])
def test_compiles_to_a_single_graph(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # checks cannot be traced
    network = SlidingWindow(maps=2, hidden=3).eval()
    image = torch.rand(1, 1, side, side)
    with torch.no_grad():
        compiled = torch.compile(network, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(image), network(image))
