"""The factor that brings images to the magnification of the training images."""

import math
from typing import Any


def parse_scale(scale: Any) -> float | None:
    """Return the factor by which images are enlarged, 1 if not given; None for ``auto``.

    >>> parse_scale(0.5), parse_scale(None), parse_scale("auto")
    (0.5, 1.0, None)

    Raises ValueError for anything else.
    """
    if scale == "auto":
        return None
    if scale is None:
        return 1.0
    if type(scale) in (int, float) and 0 < scale < math.inf:
        return float(scale)
    raise ValueError(
        f"scale={scale} is no factor. Give scale=0.5 for images in which objects are twice as wide "
        "as in those of the training, or scale=auto if the files say how large a pixel is."
    )


def scale_between(name: str, pixel: float | None, trained: float | None) -> float:
    """Return the factor that gives an image the magnification of the training images.

    Parameters
    ----------
    name
        The image, or the data set, for messages.
    pixel, trained
        Side of a pixel of the image and of the training images, in micrometres.

    >>> scale_between("a.tif", pixel=0.2, trained=0.4)
    0.5

    Raises ValueError if one of the sizes is not known.
    """
    if trained is None:
        raise ValueError(
            "scale=auto needs the pixel size of the training images, and the checkpoint records "
            "none: their files did not say it, or not all the same. Give scale=FACTOR, such as 0.5 "
            "for images in which objects are twice as wide as in training."
        )
    if pixel is None:
        raise ValueError(
            f"{name} does not say how large a pixel is, which scale=auto needs. Give scale=FACTOR "
            "for it, or write the pixel size into the file."
        )
    return pixel / trained


def recorded_pixel_size(dataset: Any) -> float | None:
    """Return the pixel size that a checkpoint records; None if it is no positive number.

    >>> recorded_pixel_size({"pixel_size": 0.5}), recorded_pixel_size({"pixel_size": "small"})
    (0.5, None)
    """
    size = dataset.get("pixel_size")
    return float(size) if type(size) in (int, float) and 0 < size < math.inf else None
