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
        evidence = pixels
        if pixels.ndim == 2:
            evidence = MappedArray(pixels, with_background, (2, *pixels.shape))
        largest_label = max(largest_label, predictor.write_instances(evidence, labels))
        if nodata:
            clear_nodata(labels, image, predictor)
        probabilities.append(shown_probabilities(pixels, predictor.target.num_classes))
        instances.append(labels)
        classes += most_probable
        advance()
    return Segmented(
        probabilities, instances, classes, largest_label, opened.axes, opened.shape, opened.tags
    )


def predict_page(
    image: Scaled, predictor: Predictor, new_array: NewArray, advance: Callable[[], None]
) -> tuple[Any, list[Any]]:
    """Return a page's evidence, and its classes if there are more than two.

    Of two probabilities alone only the foreground's is kept, (h, w).
    """
    size, num_classes = image.shape[1:], predictor.target.num_classes
    pixels: Any = None
    classes: list[Any] = []
    for rows, columns in predictor.regions(*size):
        found = predictor.evidence(image, (rows, columns)).numpy()
        region = slice(*rows), slice(*columns)
        if (missing := image.missing(*region)) is not None:
            found[:, missing], found[0, missing] = 0, 1
        if len(found) == 2:
            pixels = new_array(size, "float32") if pixels is None else pixels
            pixels[region] = 1 - found[0]
        else:
            if pixels is None:
                pixels = new_array((len(found), *size), "float32")
                classes = [new_array(size, "uint8")] if num_classes > 2 else []
            pixels[(slice(None), *region)] = found
            for most_probable in classes:
                most_probable[region] = found[:num_classes].argmax(0)
        advance()
    return pixels, classes


def shown_probabilities(evidence: Any, num_classes: int) -> Any:
    """Return of a page's evidence the probabilities, as ``Segmented`` holds them."""
    if evidence.ndim == 2:
        return evidence
    if num_classes > 2:
        return evidence[:num_classes]
    return MappedArray(evidence, foreground, evidence.shape[1:])


def foreground(evidence: Any, key: Any) -> np.ndarray:
    """Read the probability of the foreground, given that of the background in channel 0.

    >>> foreground(np.array([[[0.25]], [[0.75]], [[0.5]]]), (slice(0, 1), slice(0, 1))).tolist()
    [[0.75]]
    """
    return 1 - np.asarray(evidence[0][key])


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
