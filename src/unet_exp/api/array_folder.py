"""Write images and labels in memory to a folder that ``dataset=folder`` reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.api.axes import as_array
from unet_exp.datasets.cache import content_key
from unet_exp.files import replacing

Array = Shaped[np.ndarray, "..."]


def write_arrays(images: Any, labels: Any, parent: Path) -> Path:
    """Write images and labels as NPY files into a folder of ``parent``, and return that folder.

    The name depends on the content, so the same arrays are written only once.

    Raises ValueError if an image has no labels of its size.
    """
    pairs = pair(images, labels)
    folder = parent / content_key(*(array for one in pairs for array in one))[:16]
    if not folder.exists():
        with replacing(folder) as part:
            for number, arrays in enumerate(pairs):
                for kind, array in zip(("images", "labels"), arrays, strict=True):
                    (part / kind).mkdir(parents=True, exist_ok=True)
                    np.save(part / kind / f"{number:05d}.npy", array)
    return folder


def pair(images: Any, labels: Any) -> list[tuple[Array, Array]]:
    """Return each image, (h, w) or (c, h, w), with its labels (h, w).

    Parameters
    ----------
    images, labels
        One array each, a stack of pages, or a list.

    >>> [(image.shape, of.shape) for image, of in pair(np.ones((2, 8, 9, 3)), np.ones((2, 8, 9)))]
    [((3, 8, 9), (8, 9)), ((3, 8, 9), (8, 9))]
    """
    one = not is_list(labels) and np.ndim(labels) == 2
    found = [as_array(image) for image in ([images] if one and not is_list(images) else images)]
    truths = [as_array(array) for array in ([labels] if one else labels)]
    if len(found) != len(truths):
        raise ValueError(
            f"There are {len(found)} images and {len(truths)} label arrays. Give one of labels for "
            "each image."
        )
    return [(channels_first(*both), both[1]) for both in zip(found, truths, strict=True)]


def is_list(value: Any) -> bool:
    """Tell whether a value is a list of arrays, and no array itself."""
    return isinstance(value, Sequence)


def channels_first(image: Array, labels: Array) -> Array:
    """Return an image (h, w), (c, h, w) or (h, w, c) as (h, w) or (c, h, w).

    Raises ValueError if it is not as large as its labels.

    >>> channels_first(np.ones((1, 8, 9)), np.ones((8, 9))).shape
    (8, 9)
    """
    if labels.ndim == 2 and image.shape == labels.shape:
        return image
    if labels.ndim == 2 and image.ndim == 3:
        if image.shape[1:] == labels.shape:
            return image if len(image) > 1 else image[0]
        if image.shape[:2] == labels.shape:
            return channels_first(np.moveaxis(image, -1, 0), labels)
    raise ValueError(
        f"An image has the shape {image.shape}, and its labels have {labels.shape}. Give labels "
        "(h, w), and images (h, w), (c, h, w) or (h, w, c) of the same size."
    )
