"""The estimated memory of a forward pass, compared with counts by hand."""

import pytest
import torch
from torch import Tensor, nn

from unet_exp.inference import memory
from unet_exp.inference.memory import bytes_per_pixel, largest_side
from unet_exp.models.unet import UNet


class Chain(nn.Module):
    """Maps of 2, 8 and 1 channels; the first is gone before the last is made."""

    in_channels = 1

    def forward(self, image: Tensor) -> Tensor:
        first = image.expand(-1, 2, -1, -1).clone()
        second = first.repeat(1, 4, 1, 1)
        del first
        return second.sum(1, keepdim=True)


def test_the_peak_is_that_of_tensors_alive_at_once() -> None:
    assert bytes_per_pixel(Chain(), 64) == 4 * (1 + 2 + 8)


def test_a_kept_map_counts_until_the_end() -> None:
    """The first level's 4 channels wait for the way up, where they are joined with 4 others."""
    network = UNet(depth=1, base_channels=4, padding="same").eval()
    least = 4 * (1 + 4 + 4 + 8)  # the image, the copy, the map from below, and both joined
    assert least <= bytes_per_pixel(network, 64) <= least + 4 * 4


def test_the_network_itself_stays_where_it_is() -> None:
    network = UNet(depth=1, base_channels=2).eval()
    bytes_per_pixel(network, 32)
    assert {p.device.type for p in network.parameters()} == {"cpu"}


def test_the_side_follows_from_memory_and_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Conv2d(1, 3, 1)  # 16 bytes for each pixel
    monkeypatch.setattr(memory, "memory_at_hand", lambda _: int(16 * 1.3 * 500**2) + 1)
    assert largest_side(network, 64) == 500
    assert largest_side(network, 64, batch_size=4) == 250


def test_a_cpu_gives_a_quarter_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    class Free:
        available = 400

    monkeypatch.setattr(memory.psutil, "virtual_memory", Free)
    assert memory.memory_at_hand(torch.device("cpu")) == 100
    Free.available = 2**40
    assert memory.memory_at_hand(torch.device("cpu")) == 2**30
