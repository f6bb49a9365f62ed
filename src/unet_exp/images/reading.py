"""Any PNG, TIFF or NPY file: 8 or 16 bit, float, one or many pages, one or many channels."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from unet_exp.images.image_file import memory_named, open_image
from unet_exp.images.nodata import NoData, NotFiniteError
from unet_exp.images.scaling import Scaled

Known = tuple[Float32[np.ndarray, "_ _ _"], Bool[np.ndarray, "_ _"] | None]


def read_pages(
    path: Path,
    channels: int | None = None,
    pages: int | None = None,
    min_is_white: str = "auto",
) -> Shaped[np.ndarray, "n c h w"]:
    """Read a file as pages of channels, in the numbers that the file holds.

    What is a page and what a channel, and what is raised, says `opened.open_image`.
    """
    with open_image(path, channels, pages, 2**62, min_is_white) as opened, memory_named(path):
        opened.display.explain(path, min_is_white)
        return np.stack([page[:, :, :] for page in opened.pages])


def read_images(
    path: Path,
    normalization: str = "zscore",
    channels: int | None = None,
    pages: int | None = None,
) -> list[Float32[np.ndarray, "_ _ _"]]:
    """Read and normalise the pages of a file, each (channels, height, width).

    ``channels`` and ``pages`` say what is expected of a file that does not name its axes, as in
    `read_pages`. Values that are not finite are refused with the file's name.
    """
    return [image for image, _ in read_known(path, normalization, channels, pages)]


def read_known(
    path: Path,
    normalization: str = "zscore",
    channels: int | None = None,
    pages: int | None = None,
    nodata: NoData = (),
    min_is_white: str = "auto",
) -> list[Known]:
    """Read and normalise pages as `read_images`; with each, where it has no data in any channel.

    Numbers without data are those of ``nodata``, or of the file's own tag, as
    `opened.ImageFile.no_data` says. The second of each pair is None where there are none.
    """
    everything = slice(None), slice(None)
    try:
        with open_image(path, channels, pages, 2**62, min_is_white) as opened, memory_named(path):
            opened.display.explain(path, min_is_white)
            missing = opened.no_data(nodata)
            scaled = [Scaled(page[:, :, :], normalization, missing) for page in opened.pages]
            return [(page[:, :, :], page.missing(*everything)) for page in scaled]
    except NotFiniteError as error:
        raise ValueError(f"{path} has {error}") from error


def normalise(
    image: Shaped[np.ndarray, "c h w"], normalization: str = "zscore"
) -> Float32[np.ndarray, "c h w"]:
    """Scale the grey values of an image, each channel by itself, as `scaling.scaling` finds.

    A page of a stack is treated as if it were a file of its own, so that it means the same alone
    and in its stack.

    >>> normalise(np.array([[[1, 3], [1, 3]]], np.uint8)).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    >>> normalise(np.array([[[0, 51], [102, 255]]], np.uint8), "dtype").round(1)
    array([[[0. , 0.2],
            [0.4, 1. ]]], dtype=float32)
    """
    return Scaled(image, normalization)[:, :, :]
