"""The results of an image file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from unet_exp.images.stored_image import UNNAMED
from unet_exp.images.tags import SYMBOLS, Tags
from unet_exp.prediction.measures import Measures, PixelSize, measure
from unet_exp.prediction.outlines import Polygon, masks, outline


@dataclass(frozen=True)
class Segmented:
    """The results of an image: for each page an array that is read by slices.

    Attributes
    ----------
    images
        (c, h, w), the image's stored numbers.
    probabilities
        float32, (h, w) for the foreground or (k, h, w) for k > 2 classes.
    instances
        uint32, (h, w).
    classes
        uint8, (h, w), the most probable class; empty if there are two classes.
    largest_label
        The largest instance number.
    axes, shape, tags
        As in the image file.
    """

    images: Sequence[Any]
    probabilities: list[Any]
    instances: list[Any]
    classes: list[Any]
    largest_label: int
    axes: str
    shape: tuple[int, ...]
    tags: Tags

    @cached_property
    def measures(self) -> list[Measures]:
        """The measures of the objects of each page."""
        pages = zip(self.instances, self.images, strict=True)
        return [measure(labels, image) for labels, image in pages]

    def outlines(self, page: int) -> Iterator[tuple[int, list[Polygon]]]:
        """Yield the number and the outline of each object of a page, see `outlines.outline`."""
        found = self.measures[page]
        labels = found.label.tolist()
        for index, (top, left), mask in masks(self.instances[page], labels, found.box):
            corner = np.array([left, top])
            yield labels[index], [[ring + corner for ring in rings] for rings in outline(mask)]

    def places(self) -> list[dict[str, int]]:
        """Return each page's index along each axis of pages; empty for a single page.

        Axes without a name, or with one name, count as one axis "page".
        """
        if len(self.instances) == 1:
            return [{}]
        names = self.axes.lower()
        if set(self.axes) & set(UNNAMED) or len(set(names)) < len(self.shape):
            return [{"page": page} for page in range(len(self.instances))]
        return [dict(zip(names, index, strict=True)) for index in np.ndindex(self.shape)]

    def pixel_size(self) -> PixelSize | None:
        """Return the size of a pixel; None if the file does not tell.

        >>> Segmented([], [], [], [], 0, "", (), Tags("tiff", ((4, 1), (2, 1)), 3)).pixel_size()
        PixelSize(height=5000.0, width=2500.0, unit='um')
        """
        steps = self.tags.steps()
        if "y" not in steps or "x" not in steps:
            return None
        (height, unit), (width, other) = steps["y"], steps["x"]
        if unit is None or unit != other:
            return None
        return PixelSize(height, width, ASCII_SYMBOLS.get(unit, unit))


ASCII_SYMBOLS = SYMBOLS | {"micrometer": "um"}
"""The symbol of each unit, in ASCII."""
