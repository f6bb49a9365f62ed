"""A network of our own: see `unet_exp.models.network.Network` for what it needs."""

import torch
from torch import Tensor, nn


def two_convolutions(before: int, after: int) -> nn.Sequential:
    """Return two convolutions that keep the size."""
    first = nn.Conv2d(before, after, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(), nn.Conv2d(after, after, 3, padding=1), nn.ReLU())


class TwoScales(nn.Module):
    """Convolutions at full size and at half size, side by side."""

    step = 2  # one pooling
    halo = 6  # the coarse ones see 4 pixels, the pooling one more; a multiple of step
    padding = "same"

    def __init__(self, in_channels: int = 1, out_channels: int = 2, width: int = 8) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.fine = two_convolutions(in_channels, width)
        self.coarse = nn.Sequential(
            nn.MaxPool2d(2), two_convolutions(in_channels, width), nn.Upsample(scale_factor=2)
        )
        self.last = nn.Conv2d(2 * width, out_channels, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return the output (b, k, h, w) for images (b, c, h, w)."""
        return self.last(torch.cat([self.fine(image), self.coarse(image)], 1))

    def output_size(self, size: int) -> int:
        """Return the output's size: the image's."""
        if size % 2:
            raise ValueError(f"A side of {size} pixels is odd. Give an even one.")
        return size

    def fitting_sizes(self, size: int) -> tuple[int | None, int]:
        """Return the nearest even sizes, below and above."""
        return size // 2 * 2 or None, max(2, -(-size // 2) * 2)
