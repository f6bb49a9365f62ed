"""Segment an open image file of any size, with results in memory or on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unet_exp.arrays import MappedArray
from unet_exp.images.image_file import ImageFile
from unet_exp.images.nodata import NoData
from unet_exp.images.scaling import Scaled
from unet_exp.images.tags import Tags
from unet_exp.inference.predictor import Predictor
from unet_exp.prediction.scratch import NewArray


@dataclass(frozen=True)
class Segmented:
    """The results of an image: for each page an array that is read by slices.

    Attributes
    ----------
    probabilities
        float32, (h, w) of the foreground or (k, h, w) of k > 2 classes.
    instances
        uint32, (h, w).
    classes
        uint8, (h, w), the most probable class; empty for two classes.
    largest_label
        The largest instance number.
    axes, shape, tags
        As in the image file.
    """

    probabilities: list[Any]
    instances: list[Any]
    classes: list[Any]
    largest_label: int
    axes: str
    shape: tuple[int, ...]
    tags: Tags


def segment(
    opened: ImageFile,
    normalization: str,
    predictor: Predictor,
    new_array: NewArray,
    advance: Callable[[], None] = lambda: None,
    nodata: NoData = (),
) -> Segmented:
    """Segment all pages region by region; call ``advance`` after each region and each page.

    Pixels without data in all channels, by ``nodata`` or by the file's own tag, become background
    with probability 1.

    Raises NotFiniteError if a page has values that are NaN or infinite, also after scaling to
    float32, and ValueError if the file is damaged.
    """
    nodata = opened.find_nodata(nodata)
    probabilities, instances, classes = [], [], []
    largest_label = 0
    for page in opened.pages:
        image = Scaled(page, normalization, nodata)
        pixels, most_probable = predict_page(image, predictor, new_array, advance)
        labels = new_array(page.shape[1:], "uint32")
        all_classes = pixels
        if pixels.ndim == 2:
            all_classes = MappedArray(pixels, with_background, (2, *pixels.shape))
        largest_label = max(largest_label, predictor.write_instances(all_classes, labels))
        if nodata:
            clear_nodata(labels, image, predictor)
        probabilities.append(pixels)
        instances.append(labels)
        classes += most_probable
        advance()
    return Segmented(
        probabilities, instances, classes, largest_label, opened.axes, opened.shape, opened.tags
    )


def predict_page(
    image: Scaled, predictor: Predictor, new_array: NewArray, advance: Callable[[], None]
) -> tuple[Any, list[Any]]:
    """Return a page's probabilities, and a list of its classes if there are more than two."""
    size = image.shape[1:]
    pixels: Any = None
    classes: list[Any] = []
    for rows, columns in predictor.regions(*size):
        found = predictor.probabilities(image, (rows, columns)).numpy()
        region = slice(*rows), slice(*columns)
        if (missing := image.missing(*region)) is not None:
            found[:, missing], found[0, missing] = 0, 1
        if len(found) == 2:
            pixels = new_array(size, "float32") if pixels is None else pixels
            pixels[region] = 1 - found[0]
        else:
            if pixels is None:
                pixels = new_array((len(found), *size), "float32")
                classes = [new_array(size, "uint8")]
            pixels[(slice(None), *region)] = found
            classes[0][region] = found.argmax(0)
        advance()
    return pixels, classes


def with_background(foreground: Any, key: Any) -> np.ndarray:
    """Read the probabilities (2, h, w) of background and foreground.

    >>> with_background(np.array([[0.75]]), (slice(None), slice(0, 1), slice(0, 1))).tolist()
    [[[0.25]], [[0.75]]]
    """
    inside = np.asarray(foreground[key[1:]])
    return np.stack([1 - inside, inside])[key[0]]


def clear_nodata(labels: Any, image: Scaled, predictor: Predictor) -> None:
    """Remove labels where the image has no data. Postprocessing may have filled holes there."""
    for rows, columns in predictor.regions(*image.shape[1:]):
        region = slice(*rows), slice(*columns)
        missing = image.missing(*region)
        if missing is not None and missing.any():
            labels[region] = np.where(missing, 0, np.asarray(labels[region]))
