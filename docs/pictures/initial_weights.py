"""Section 3: with a deviation of sqrt(2 / N), signals keep their strength from layer to layer."""

import matplotlib.pyplot as plt
import torch
from torch import nn

from unet_exp.models.unet import UNet


def strengths(factor: float) -> list[float]:
    """Return the deviation of the output of each convolution, with weights times a factor."""
    torch.manual_seed(0)
    network, found = UNet(base_channels=8, depth=3, padding="same").eval(), []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.weight.data *= factor
            layer.register_forward_hook(lambda _, __, output: found.append(output.std().item()))
    with torch.inference_mode():
        network(torch.randn(1, 1, 64, 64))
    return found


figure, axes = plt.subplots(figsize=(5, 2.8))
axes.semilogy(strengths(1.0), marker="o", label="sqrt(2 / N), the article's")
axes.semilogy(strengths(0.5), marker="s", label="half of it")
axes.set(xlabel="layer", ylabel="deviation of the output")
axes.legend(frameon=False, loc="lower left")
axes.spines[["top", "right"]].set_visible(False)
