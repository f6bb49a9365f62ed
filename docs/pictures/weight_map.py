"""Equation 2: labels, the same with a separation border, and the weight of each pixel."""

from drawing import cells, row, show_objects

from unet_exp.targets.separation import separate
from unet_exp.weight_maps.border import border_weight_map

image, labels = cells()
left, middle, right = row("labels", "separated by one pixel each", "weight w(x)")
show_objects(left, image, labels)
show_objects(middle, image, separate(labels))
weights = border_weight_map(separate(labels), w0=10.0, sigma=5.0, class_balance=False)
shown = right.imshow(weights, cmap="magma")
right.figure.colorbar(shown, ax=right, fraction=0.046)
