"""Made-up cells at three settings, each with its labels."""

import matplotlib.pyplot as plt
from drawing import show_objects

from unet_exp.datasets.synthetic import Synthetic

settings: dict[str, dict[str, float]] = {
    "the defaults": {},
    "dataset.cells=120": {"cells": 120},
    "dataset.noise=0.5": {"noise": 0.5},
}
figure, grid = plt.subplots(2, len(settings), figsize=(7.8, 5.4), layout="tight")
for (above, below), (name, values) in zip(grid.T, settings.items(), strict=True):
    data = Synthetic(size=128, train=1, validation=1, test=1, **values)  # pyright: ignore
    sample = data.split("train")[0]
    above.imshow(sample.image[0], cmap="gray")
    above.set_title(name, fontsize=10)
    show_objects(below, sample.image[0], sample.labels)
for axes in grid.flat:
    axes.set(xticks=[], yticks=[])
