"""Segment an open image file of any size, with results in memory or on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from unet_exp.arrays import MappedArray
from unet_exp.images.image_file import ImageFile
from unet_exp.images.nodata import NoData
from unet_exp.images.scaling import Scaled
from unet_exp.inference.predictor import Predictor
from unet_exp.prediction.scratch import NewArray
from unet_exp.prediction.segmented import Segmented


def segment(
    opened: ImageFile,
    normalization: str,
    predictor: Predictor,
    new_array: NewArray,
    advance: Callable[[], None] = lambda: None,
    nodata: NoData = (),
    on_page: Callable[[Scaled, "Page"], object] = lambda image, page: None,
    prepare: Callable[[Any], Any] | None = None,
) -> Segmented:
    """Segment all pages region by region; call ``advance`` after each region and each page.

    ``on_page`` gets each page and its prediction. ``prepare`` changes a page before it is
    normalised.

    Pixels that have no data in any channel, according to ``nodata`` or to the file's own tag,
    become background with probability 1. With ``prepare``, no pixel is known to have no data.

    Raises NotFiniteError if a page has values that are NaN or infinite, also after scaling to
    float32, and ValueError if the file is damaged.
    """
    nodata = opened.find_nodata(nodata)
    probabilities, instances, classes = [], [], []
    largest_label = 0
    for page in opened.pages:
        image = Scaled(prepare(page) if prepare else page, normalization, nodata)
        predicted = predict_page(image, predictor, new_array, advance)
        on_page(image, predicted)
        labels = new_array(page.shape[1:], "uint32")
        largest_label = max(largest_label, write_instances(predicted, image, predictor, labels))
        probabilities.append(predicted.probabilities)
        instances.append(labels)
        if predicted.classes is not None:
            classes.append(predicted.classes)
        advance()
    return Segmented(
        opened.pages, probabilities, instances, classes, largest_label,
        opened.axes, opened.shape, opened.tags,
    )  # fmt: skip


@dataclass(frozen=True)
class Page:
    """The network's prediction for a page, in arrays that are read and written by slices.

    Attributes
    ----------
    probabilities
        (h, w) for the foreground, or (k, h, w) for k > 2 classes.
    classes
        (h, w), the most probable class; None if there are two classes.
    maps
        (n, h, w) of the target; None without any.
    """

    probabilities: Any
    classes: Any = None
    maps: Any = None

    @property
    def evidence(self) -> Any:
        """The probabilities of all classes, and the maps, as postprocessing reads them."""
        if self.classes is not None and self.maps is None:
            return self.probabilities
        shape = self.probabilities.shape
        channels = 2 if self.classes is None else shape[0]
        channels += 0 if self.maps is None else self.maps.shape[0]
        return MappedArray(self, read_evidence, (channels, *shape[-2:]), np.float32)

    def write(self, region: tuple[slice, slice], found: np.ndarray) -> None:
        """Write the evidence of a region."""
        if self.maps is not None:
            classes = len(found) - self.maps.shape[0]
            found, self.maps[(slice(None), *region)] = found[:classes], found[classes:]
        if self.classes is None:
            self.probabilities[region] = 1 - found[0]
        else:
            self.probabilities[(slice(None), *region)] = found
            self.classes[region] = found.argmax(0)


def predict_page(
    image: Scaled, predictor: Predictor, new_array: NewArray, advance: Callable[[], None]
) -> Page:
    """Predict a page region by region."""
    size, target = image.shape[1:], predictor.target
    maps = new_array((len(target.maps), *size), "float32") if target.maps else None
    if target.num_classes == 2:
        page = Page(new_array(size, "float32"), maps=maps)
    else:
        classes = new_array(size, "uint8")
        page = Page(new_array((target.num_classes, *size), "float32"), classes, maps)
    for rows, columns in predictor.regions(*size):
        found = predictor.evidence(image, (rows, columns)).numpy()
        region = slice(*rows), slice(*columns)
        if (missing := image.missing(*region)) is not None:
            found[:, missing], found[0, missing] = 0, 1
        page.write(region, found)
        advance()
    return page


def read_evidence(page: Page, key: Any) -> np.ndarray:
    """Read the evidence (k, h, w) of a page.

    >>> page = Page(np.array([[0.75]]), maps=np.array([[[0.5]]]))
    >>> read_evidence(page, (slice(None), slice(0, 1), slice(0, 1))).tolist()
    [[[0.25]], [[0.75]], [[0.5]]]
    """
    region = key[1:]
    if page.classes is None:
        inside = np.asarray(page.probabilities[region])
        channels = [1 - inside, inside]
    else:
        channels = [*np.asarray(page.probabilities[(slice(None), *region)])]
    if page.maps is not None:
        channels += [*np.asarray(page.maps[(slice(None), *region)])]
    return np.stack(channels)[key[0]]


def write_instances(page: Page, image: Scaled, predictor: Predictor, labels: Any) -> int:
    """Write the instances of a page to ``labels``, and return their largest number."""
    largest = predictor.write_instances(page.evidence, labels)
    if image.nodata:
        clear_nodata(labels, image, predictor)
    return largest


def clear_nodata(labels: Any, image: Scaled, predictor: Predictor) -> None:
    """Remove labels where the image has no data. Postprocessing may have filled holes there."""
    for rows, columns in predictor.regions(*image.shape[1:]):
        region = slice(*rows), slice(*columns)
        missing = image.missing(*region)
        if missing is not None and missing.any():
            labels[region] = np.where(missing, 0, np.asarray(labels[region]))
