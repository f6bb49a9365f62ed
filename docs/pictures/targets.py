"""What the targets make of the same labels."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import cells, show_objects

from unet_exp.targets.distance import Distance
from unet_exp.targets.flows import Flows
from unet_exp.targets.foreground import Foreground
from unet_exp.targets.three_class import ThreeClass

image, labels = cells(96)
distance = Distance().encode(labels).target
flows = Flows().encode(labels).target
pictures: dict[str, np.ndarray | None] = {
    "labels": None,
    "foreground": Foreground().encode(labels).target,
    "three_class": ThreeClass().encode(labels).target,
    "distance: classes": distance[0],
    "distance: own": distance[1],
    "distance: neighbour": distance[2],
    "flows: down": flows[1],
    "flows: right": flows[2],
}
figure, grid = plt.subplots(2, 4, figsize=(10.4, 5.6), layout="tight")
for axes, (title, values) in zip(grid.ravel(), pictures.items(), strict=True):
    axes.set(title=title, xticks=[], yticks=[])
    if values is None:
        show_objects(axes, image, labels)
    else:
        axes.imshow(values, cmap="viridis", interpolation="nearest")
