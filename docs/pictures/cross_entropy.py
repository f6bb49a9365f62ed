"""Equation 1: what a pixel costs, by the probability of its true class and its weight."""

import matplotlib.pyplot as plt
import torch

from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy

loss = WeightedCrossEntropy(reduction="sum")
logits = torch.linspace(-5, 5, 101)
figure, axes = plt.subplots(figsize=(5, 2.8))
for weight, name in ((1.0, "w = 1: inside a cell"), (10.0, "w = 10: in a narrow gap")):
    costs = [
        loss(
            torch.tensor([0.0, a]).view(1, 2, 1, 1),
            torch.ones(1, 1, 1, dtype=torch.long),
            torch.full((1, 1, 1), weight),
        )
        for a in logits
    ]
    axes.plot(torch.sigmoid(logits), costs, label=name)
axes.set(xlabel="probability of the true class", ylabel="cost of the pixel", ylim=(0, 20))
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
