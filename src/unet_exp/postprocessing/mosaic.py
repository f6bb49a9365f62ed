"""Lay objects out in one array, so that none touches another and all are computed at once."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int64, Shaped
from scipy import ndimage


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Where each object of a label image lies in the mosaic, with what lies in its bounding box.

    Attributes
    ----------
    shape
        Rows and columns of the mosaic.
    pixels, places
        Row and column of each pixel of an object, in the image and in the mosaic.
    """

    shape: tuple[int, int]
    pixels: Int64[np.ndarray, "2 n"]
    places: Int64[np.ndarray, "2 n"]

    def laid_out(self, image: Shaped[np.ndarray, "*c h w"]) -> Shaped[np.ndarray, "*c H W"]:
        """Return the mosaic of an image; 0 between the objects."""
        laid = np.zeros((*image.shape[:-2], *self.shape), image.dtype)
        laid[..., *self.places] = image[..., *self.pixels]
        return laid

    def taken_back(
        self, laid: Shaped[np.ndarray, "*c H W"], shape: tuple[int, int]
    ) -> Shaped[np.ndarray, "*c h w"]:
        """Return an image of a shape, given its mosaic; 0 outside of objects."""
        image = np.zeros((*laid.shape[:-2], *shape), laid.dtype)
        image[..., *self.pixels] = laid[..., *self.places]
        return image


def mosaic(labels: Int[np.ndarray, "h w"], gap: int) -> Mosaic:
    """Lay out the objects of a label image in rows, large ones first, ``gap`` pixels apart.

    Labels below 1 are no objects. The mosaic has a rim of ``gap`` pixels as well.

    >>> objects = mosaic(np.array([[1, 1, 2, 2], [1, 2, 2, 2]]), gap=1)
    >>> objects.laid_out(np.array([[1, 1, 2, 2], [1, 2, 2, 2]])).tolist()[:4]
    [[0, 0, 0, 0, 0, 0], [0, 0, 2, 2, 0, 0], [0, 2, 2, 2, 0, 0], [0, 0, 0, 0, 0, 0]]
    """
    pixels = np.stack(np.nonzero(labels > 0))
    numbers, index = np.unique(labels[*pixels], return_inverse=True)
    if not len(numbers):
        return Mosaic((2 * gap, 2 * gap), pixels, pixels)
    compact = np.zeros(labels.shape, np.int32)
    compact[*pixels] = index + 1
    boxes = [
        (rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start)
        for rows, columns in ndimage.find_objects(compact)
    ]
    top, left, heights, widths = np.array(boxes).T
    width = max(int(widths.max()), int(np.sqrt(((heights + gap) * (widths + gap)).sum())))
    shifts = np.zeros((2, len(boxes)), np.int64)
    down, right, row = gap, gap, 0
    for k in np.argsort(-heights - widths, kind="stable").tolist():
        _, _, high, wide = boxes[k]
        if right > gap and right + wide > gap + width:
            down, right, row = down + row + gap, gap, 0
        shifts[:, k] = down, right
        right, row = right + wide + gap, max(row, high)
    shifts -= np.stack([top, left])
    return Mosaic((down + row + gap, width + 2 * gap), pixels, pixels + shifts[:, index])
