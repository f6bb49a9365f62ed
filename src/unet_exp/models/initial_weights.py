"""Initial weights (arXiv:1505.04597, section 3): Gaussian with standard deviation sqrt(2 / N)."""

import math

import torch
from torch import nn


@torch.no_grad()
def draw_weights(network: nn.Module) -> None:
    """Draw weights from N(0, 2 / N), where N is the number of inputs of a neuron; biases are 0.

    A neuron of a 2 x 2 up-convolution with stride 2 sees one pixel of each input channel, so N is
    the number of input channels. A 3 x 3 convolution has 9 inputs for each channel.

    >>> layer = nn.Conv2d(64, 100, kernel_size=3)
    >>> draw_weights(layer)
    >>> round(layer.weight.detach().std().item() / (2 / 576) ** 0.5, 1)
    1.0
    """
    for layer in network.modules():
        # A layer on the meta device has no weights; torch would import its compiler to draw them.
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and not layer.weight.is_meta:
            taps = 1 if isinstance(layer, nn.ConvTranspose2d) else math.prod(layer.kernel_size)
            layer.weight.normal_(0, math.sqrt(2 / (taps * layer.in_channels)))
            if layer.bias is not None:
                layer.bias.zero_()
