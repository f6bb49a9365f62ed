"""Network N4 of Ciresan et al. (NIPS 2012), layer by layer: the network that U-Net replaced."""

import pytest
import torch
from torch import nn

from unet_exp.models.sliding_window import SlidingWindow


@pytest.fixture(scope="module")
def n4() -> SlidingWindow:
    return SlidingWindow()


def test_maps_and_sides_of_every_layer(n4: SlidingWindow) -> None:
    seen: list[tuple[int, int]] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, out: seen.append((out.shape[1], out.shape[-1])))
        for layer in n4.modules()
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d)
    ]
    n4(torch.zeros(1, 1, 95, 95))
    for hook in hooks:
        hook.remove()
    assert seen == [
        *[(48, 92), (48, 46)],  # 4 x 4, then pooled
        *[(48, 42), (48, 21)],  # 5 x 5
        *[(48, 18), (48, 9)],  # 4 x 4
        *[(48, 6), (48, 3)],  # 4 x 4
        *[(200, 1), (2, 1)],  # fully connected
    ]


def test_parameters(n4: SlidingWindow) -> None:
    convolutions = [16 * 1 * 48 + 48, 25 * 48 * 48 + 48, 16 * 48 * 48 + 48, 16 * 48 * 48 + 48]
    assert convolutions == [816, 57_648, 36_912, 36_912]
    connected = [3 * 3 * 48 * 200 + 200, 200 * 2 + 2]
    assert connected == [86_600, 402]
    assert sum(p.numel() for p in n4.parameters()) == sum(convolutions + connected) == 219_290


def test_the_window_is_centred_on_its_pixel(n4: SlidingWindow) -> None:
    assert n4.halo == (95 - 1) / 2 == 47
    assert n4.output_size(95) == 1


def test_an_image_of_the_challenge_is_262144_windows(n4: SlidingWindow) -> None:
    assert n4.output_size(512 + 2 * n4.halo) ** 2 == 262_144
