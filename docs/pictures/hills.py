"""The hills of a landscape, and the objects that they make at two values of `contrast`."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.interpolate import PchipInterpolator

from unet_exp.postprocessing.watershed import Watershed

#: Peaks of 0.97, 0.92 and 0.87; the pass between the last two is 0.80 high.
POINTS = {
    0: 0.02,
    15: 0.3,
    25: 0.97,
    38: 0.3,
    46: 0.2,
    54: 0.5,
    63: 0.92,
    76: 0.8,
    88: 0.87,
    104: 0.02,
}
x = np.arange(110)
inside = PchipInterpolator(list(POINTS), list(POINTS.values()))(x).clip(0.02)
evidence = torch.tensor(np.stack([1 - inside, inside]), dtype=torch.float32)[:, None]
figure, grid = plt.subplots(2, 1, figsize=(6.5, 4.2), sharex=True, layout="tight")
for axes, contrast in zip(grid, (0.05, 0.15), strict=True):
    objects = Watershed(contrast=contrast, shape=0, smoothing=0)(evidence)[0].numpy()
    axes.plot(x, inside, color="black", lw=1)
    axes.axhline(0.5, color="grey", lw=0.8, ls=":")
    axes.text(0, 0.53, "threshold", color="grey", fontsize=8)
    for number in range(1, objects.max() + 1):
        axes.fill_between(x, inside, where=objects == number, alpha=0.7, step="mid")
    axes.set(title=f"contrast = {contrast}: {objects.max()} objects", ylabel="probability")
    axes.spines[["top", "right"]].set_visible(False)
