"""Read label files: integers of any type, the indices of a palette, or flat colours."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from unet_exp.datasets.every_file import read_every
from unet_exp.datasets.labels.numbering import Numbers
from unet_exp.datasets.labels.palettes import palette_indices
from unet_exp.datasets.labels.white_is_zero import Stack, StoredLabels, WhiteIsZero, read_stored
from unet_exp.images.display import warn_once

FLAT = 0.8
"""Smallest fraction of neighbouring pixels with equal colours in a picture of labels."""
LONELY = 0.01
"""Largest fraction of coloured pixels without a neighbour of the same colour."""


def read_labels(path: Path, min_is_white: str = "auto") -> list[Numbers]:
    """Read the pages of a label file as integers of the file's own type.

    - Palettes are read as indices, see `palettes.palette_indices`.
    - Floats may hold integers.
    - Grey saved as colour is read as grey. In other colour pictures each colour becomes a number
      (red * 65536 + green * 256 + blue for 8 bits), and black the background. They must have large
      areas of one colour, and some black.
    - For files in which 0 is white see `WhiteIsZero`.

    Raises ValueError like `unet_exp.images.image_file.open_image`, and for photographs, transparent
    pixels, fractions, and numbers beyond all integer types.
    """
    stored = read_stored(path)
    return _to_numbers(stored, *WhiteIsZero(min_is_white).read([stored]))


def read_label_files(
    paths: Sequence[Path], white: WhiteIsZero | None = None
) -> dict[Path, list[Numbers]]:
    """Read the label files of a data set like `read_labels`; ``white`` decides for all of them.

    Raises ValueError like `read_labels`, naming all files that fail, and like `WhiteIsZero.read`.
    """
    files = read_every(paths, read_stored)
    stacks = (white or WhiteIsZero()).read(files)
    numbers = read_every(zip(files, stacks, strict=True), lambda file: _to_numbers(*file))
    return dict(zip(paths, numbers, strict=True))


def _to_numbers(file: StoredLabels, stack: Stack) -> list[Numbers]:
    """Return the integers of each page of a label file."""
    indices = palette_indices(file.path)
    if indices is not None:
        return [indices]
    if stack.shape[1] == 1 or (stack == stack[:, :1]).all():
        return [_integers(file.path, page) for page in stack[:, 0]]
    return [_numbered_colours(file.path, page) for page in stack]


def _integers(path: Path, page: Shaped[np.ndarray, "h w"]) -> Numbers:
    """Return a page of integers, or of floats without fractions, as integers."""
    if page.dtype.kind in "iu":
        # Files may have another byte order.
        return page.astype(f"{page.dtype.kind}{page.dtype.itemsize}")
    with np.errstate(invalid="ignore"):
        for dtype in (np.int32, np.int64, np.uint64):
            numbers = page.astype(dtype)
            if np.array_equal(numbers.astype(page.dtype), page):
                return numbers
    broken = page[~np.isfinite(page) | (page != np.round(page))]
    example = f" such as {broken[0]:g}" if broken.size else f" up to {page.max():g}"
    raise ValueError(
        f"{path} has labels that are not whole numbers,{example} ({page.dtype}). Labels number "
        "instances or classes: threshold or round them and save them as 8, 16 or 32 bit; unknown "
        "pixels may be negative."
    )


def _numbered_colours(path: Path, page: Shaped[np.ndarray, "c h w"]) -> Numbers:
    """Return a number for the red, green and blue of each pixel."""
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
    too_many_lonely = lonely.sum() > max(LONELY * np.count_nonzero(numbers), 8)
    reason = ""
    if too_many_lonely or below.sum() + right.sum() < FLAT * (below.size + right.size):
        reason = "its colours blend"
    elif numbers.all():
        reason = "no pixel is black, which is the background"
    if reason:
        raise ValueError(
            f"{path} is a picture in colour, and does not look like labels: {reason}. Save labels "
            "as a grey picture of one number per pixel; for flat colours use, for example, "
            "numpy.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)."
        )
    warn_once(path, "its colours are read as labels, each as a number: black is the background.")
    return numbers
