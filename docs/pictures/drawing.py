"""What the pictures of the documentation share: made-up cells, a row of axes, objects in colour."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from unet_exp.datasets.synthetic import Synthetic
from unet_exp.pictures.colours import coloured, picture


def cells(size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Return an image (h, w) of made-up cells, and its labels."""
    sample = Synthetic(size=size, train=1, validation=1, test=1).split("train")[0]
    assert sample.labels is not None
    return sample.image[0], sample.labels


def row(*titles: str, side: float = 2.6) -> list[Axes]:
    """Return axes side by side, without ticks."""
    figure, axes = plt.subplots(1, len(titles), figsize=(side * len(titles), side + 0.3))
    figure.set_layout_engine("tight")
    for one, title in zip(np.atleast_1d(axes), titles, strict=True):
        one.set_title(title, fontsize=10)
        one.set_xticks([])
        one.set_yticks([])
    return list(np.atleast_1d(axes))


def show_objects(axes: Axes, image: np.ndarray, labels: np.ndarray) -> None:
    """Draw objects in colours over their image."""
    axes.imshow(coloured(picture(image[None], *image.shape), labels))
