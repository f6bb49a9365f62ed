"""An image beside the network's prediction, with errors in colour (compare figures 3 and 4)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from unet_exp.pictures.colours import ERRORS, alike, coloured, errors, picture, resized
from unet_exp.pictures.page import Page, finished

SIDE = 512  # pixels of the longer side of each picture


def prediction_panel(
    image: Shaped[np.ndarray, "c h w"],
    labels: Int[np.ndarray, "h w"] | None,
    weights: Float[np.ndarray, "h2 w2"] | None,
    probability: Float[np.ndarray, "h w"],
    prediction: Int[np.ndarray, "h w"],
    path: Path | str | None = None,
    title: str = "",
    by_class: bool = False,
    maps: Mapping[str, Float[np.ndarray, "h w"]] | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw image, labels, weight map, probability, prediction and errors; write a PNG to ``path``.

    Parameters
    ----------
    labels
        True instances (0 background, -1 unknown), or None for an image without labels.
    weights
        Pixel weights of the loss, in any size, or None.
    probability
        Probability of the foreground.
    prediction
        Predicted instances. If ``by_class``, prediction and labels are classes.
    maps
        Other predictions of the network, by name. The colour scale goes from 0 to the largest
        value, at least to 1. With negative values, it is symmetric around 0.

    >>> cell = np.pad(np.ones((2, 2), int), 2)
    >>> panel = prediction_panel(np.ones((1, 6, 6)), cell, None, cell * 0.9, cell)
    >>> panel.dtype, panel.shape[2]
    (dtype('uint8'), 3)
    """
    height, width = probability.shape
    scale = SIDE / max(height, width)
    # Leave room for the titles of very narrow images.
    size = max(round(height * scale), 60), max(round(width * scale), 260)
    maps = {"Probability": probability} | {k.capitalize(): v for k, v in (maps or {}).items()}
    columns = 2 + len(maps)
    page = Page(1 if labels is None else 2, columns, *size, title, entries=len(ERRORS) - 1)
    base, prediction = picture(image, *size), resized(prediction, *size)
    page.show(0, 0, base, "Image")
    row, same = 0, prediction
    if labels is not None:
        labels = resized(labels, *size)
        page.show(0, 1, coloured(base, labels), headed("Labels", labels, by_class))
        if (labels < 0).any():
            page.legend(0, 1, {"unknown": ERRORS["unknown"]})
        if weights is not None:
            top = float(np.nanmax(weights, initial=0.0))
            page.show_numbers(0, 2, resized(weights, *size), "magma", 0, top, "Weight map")
        tinted, colours = errors(base, prediction, labels, by_class)
        page.show(1, columns - 1, tinted, "Errors")
        page.legend(1, columns - 1, colours)
        row, same = 1, prediction if by_class else alike(prediction, labels)
    # Without labels there is one row: image, probability, maps, prediction.
    first = 0 if labels is not None else 1
    for column, (name, values) in enumerate(maps.items(), first):
        most = max(1, float(np.abs(values).max()))
        least, colours = (-most, "coolwarm") if (values < 0).any() else (0, "viridis")
        page.show_numbers(row, column, resized(values, *size), colours, least, most, name)
    shown = coloured(base, same)
    page.show(row, first + len(maps), shown, headed("Prediction", prediction, by_class))
    return finished(page, path)


def headed(name: str, labels: Int[np.ndarray, "h w"], by_class: bool) -> str:
    """Return a title with the number of objects.

    >>> headed("Labels", np.array([[0, 7, -1]]), by_class=False)
    'Labels: 1 object'
    """
    count = len(np.unique(labels[labels > 0]))
    return f"{name}: classes" if by_class else f"{name}: {count} object{'s' * (count != 1)}"
