"""Read whole image files as normalised arrays."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from unet_exp.images.errors import naming_memory_errors
from unet_exp.images.image_file import ImageFile, open_whole
from unet_exp.images.nodata import NoData, NotFiniteError
from unet_exp.images.scaling import Scaled
from unet_exp.images.selection import EVERYTHING, Selection

ImageAndGaps = tuple[Float32[np.ndarray, "_ _ _"], Bool[np.ndarray, "_ _"] | None]


def read_images(
    path: Path, normalization: str = "zscore", channels: int | None = None, pages: int | None = None
) -> list[Float32[np.ndarray, "_ _ _"]]:
    """Read and normalise the pages of a file, each (channels, height, width).

    ``channels`` and ``pages`` are explained in `open_image`. Raises ValueError like `open_image`,
    and for values that are not finite.
    """
    images = read_images_and_gaps(path, normalization, channels, pages)
    return [image for image, _ in images]


def read_images_and_gaps(
    path: Path,
    normalization: str = "zscore",
    channels: int | None = None,
    pages: int | None = None,
    nodata: NoData = (),
    min_is_white: str = "auto",
    selection: Selection = EVERYTHING,
    on_open: Callable[[ImageFile], object] = lambda file: None,
) -> list[ImageAndGaps]:
    """Read and normalise pages like `read_images`, each with a mask of pixels without data.

    A pixel is in the mask if none of its channels has data, see
    `image_file.ImageFile.find_nodata`. The mask is None if all numbers are data. ``on_open`` is
    called with the open file.
    """
    everything = slice(None), slice(None)
    try:
        with (
            open_whole(path, channels, pages, min_is_white, selection) as file,
            naming_memory_errors(path),
        ):
            on_open(file)
            file.display.warn_of_white_zeros(path, min_is_white)
            missing = file.find_nodata(nodata)
            images = [Scaled(page[:, :, :], normalization, missing) for page in file.pages]
            return [(image[:, *everything], image.missing(*everything)) for image in images]
    except NotFiniteError as error:
        raise ValueError(f"{path} has {error}") from error


def common_pixel_size(sizes: Iterable[float | None]) -> float | None:
    """Return the side of a pixel on which files agree; None if they differ or one is unknown.

    >>> common_pixel_size([0.5, 0.5]), common_pixel_size([0.5, None])
    (0.5, None)
    """
    found = set(sizes)
    return found.pop() if len(found) == 1 else None


def normalise(
    image: Shaped[np.ndarray, "c h w"], normalization: str = "zscore"
) -> Float32[np.ndarray, "c h w"]:
    """Scale the grey values of each channel, see `scaling.find_scaling`.

    Pages of a stack are normalised one by one.

    >>> normalise(np.array([[[1, 3], [1, 3]]], np.uint8)).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    >>> normalise(np.array([[[0, 51], [102, 255]]], np.uint8), "dtype").round(1)
    array([[[0. , 0.2],
            [0.4, 1. ]]], dtype=float32)
    """
    return Scaled(image, normalization)[:, :, :]
