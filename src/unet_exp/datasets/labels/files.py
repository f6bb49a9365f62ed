"""Label files: whole numbers of any type, the indices of a palette, or plain colours as numbers."""

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from unet_exp.datasets.every_file import read_every
from unet_exp.datasets.labels.numbering import Numbers
from unet_exp.datasets.labels.palettes import palette_indices
from unet_exp.datasets.labels.white_is_zero import Stack, Stored, WhiteZeros, read_stored

FLAT = 0.8
"""Share of neighbours that have one colour from which on colours are taken for labels."""
LONELY = 0.01
"""Share of coloured pixels without a neighbour of their colour up to which they are."""
logger = logging.getLogger(__name__)


def read_labels(path: Path, pages: int | None = None, min_is_white: str = "auto") -> list[Numbers]:
    """Read the pages of a file of labels, each as whole numbers of the type that the file has.

    - A palette's pixels are its indices, but for greys, see `palettes.palette_indices`.
    - Fractional types may hold whole numbers.
    - A grey picture saved in colour is taken as grey. In another, each colour is a number (red *
      65536 + green * 256 + blue with 8 bits) and black the background, if it is plainly a picture
      of labels: large areas of one colour, and some black.
    - What is meant where 0 is white says `unet_exp.datasets.labels.white_is_zero.WhiteZeros`.

    Raises
    ------
    ValueError
        As `unet_exp.images.image_file.open_image`, and for photographs, transparent pixels,
        fractions and what no integer type holds.
    """
    stored = read_stored(path, pages)
    return meant(stored, *WhiteZeros(min_is_white).read([stored]))


def read_label_files(
    paths: Sequence[Path], white: WhiteZeros | None = None
) -> dict[Path, list[Numbers]]:
    """Read label files of one data set as `read_labels`, with one decision of what white means.

    Raises
    ------
    ValueError
        As `read_labels`, of all files that cannot be used, and as `WhiteZeros.read`.
    """
    files = read_every(paths, read_stored)
    stacks = (white or WhiteZeros()).read(files)
    read = read_every(zip(files, stacks, strict=True), lambda file: meant(*file))
    return dict(zip(paths, read, strict=True))


def meant(file: Stored, stack: Stack) -> list[Numbers]:
    """Return the whole numbers of each page of a label file that are meant by what it holds."""
    path = file.path
    indices = palette_indices(path)
    if indices is not None:
        return [indices]
    if stack.shape[1] > 1 and (stack == stack[:, :1]).all():
        stack = stack[:, :1]
    if stack.shape[1] == 1:
        return [_whole(path, page) for page in stack[:, 0]]
    return [_numbered_colours(path, page) for page in stack]


@cache
def _say(folder: Path, what: str) -> None:
    """Log once for each folder what its labels were taken for."""
    logger.warning("Labels in %s are read as %s is the background.", folder, what)


def _whole(path: Path, page: Shaped[np.ndarray, "h w"]) -> Numbers:
    """Return numbers of an integer type; those of other types must be whole."""
    if page.dtype.kind in "iu":
        # The plain type of this size: files may have the other order of bytes, or another name.
        return page.astype(f"{page.dtype.kind}{page.dtype.itemsize}")
    with np.errstate(invalid="ignore"):
        for dtype in (np.int32, np.int64, np.uint64):
            numbers = page.astype(dtype)
            if np.array_equal(numbers.astype(page.dtype), page):
                return numbers
    broken = page[~np.isfinite(page) | (page != np.round(page))]
    example = f" such as {broken[0]:g}" if broken.size else f" up to {page.max():g}"
    raise ValueError(
        f"{path} has labels that are no whole numbers,{example} ({page.dtype}). Labels number "
        "instances or classes: threshold or round them and save them as 8, 16 or 32 bit; unknown "
        "pixels may be negative."
    )


def _numbered_colours(path: Path, page: Shaped[np.ndarray, "c h w"]) -> Numbers:
    """Make one number of each pixel's red, green and blue."""
    if len(page) != 3 or page.dtype.kind != "u" or page.dtype.itemsize > 2:
        raise ValueError(
            f"{path} has {len(page)} channels of type {page.dtype}, but labels are one number per "
            "pixel. Save them as a grey picture without transparency, or in flat red, green and "
            "blue of 8 or 16 bit."
        )
    bits = 8 * page.dtype.itemsize
    red, green, blue = page.astype(np.int64)
    numbers = (red << 2 * bits) | (green << bits) | blue
    below, right = numbers[1:] == numbers[:-1], numbers[:, 1:] == numbers[:, :-1]
    lonely = numbers != 0
    lonely[1:] &= ~below
    lonely[:-1] &= ~below
    lonely[:, 1:] &= ~right
    lonely[:, :-1] &= ~right
    blend = lonely.sum() > max(LONELY * (numbers != 0).sum(), 8)
    if blend or below.sum() + right.sum() < FLAT * (below.size + right.size):
        reason = "its colours blend"
    else:
        reason = "" if (numbers == 0).any() else "no pixel is black, which is the background"
    if reason:
        raise ValueError(
            f"{path} is a picture in colour, and not plainly one of labels: {reason}. Save labels "
            "as a grey picture of one number per pixel; from flat colours for instance by "
            "numpy.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)."
        )
    _say(path.parent, "colours, each of which is a number: black")
    return numbers
