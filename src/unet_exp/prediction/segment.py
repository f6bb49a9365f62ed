"""From an open image of any size to probabilities and instances, in memory or on disk."""

import math
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
import zarr

from unet_exp.images.image_file import ImageFile
from unet_exp.images.nodata import NoData
from unet_exp.images.scaling import Scaled
from unet_exp.images.tags import Tags
from unet_exp.inference.predictor import Predictor

IN_MEMORY = 2**27
"""Bytes of results up to which they are kept in memory until they are written."""
CHUNK = 1024

PREFIX = ".segmenting-"

NewArray = Callable[[tuple[int, ...], str], Any]


@dataclass(frozen=True)
class Segmented:
    """What was made of an image; of each page an array that is read by slices.

    Attributes
    ----------
    probabilities
        float32, (h, w) of the foreground, or (k, h, w) of k > 2 classes.
    instances
        uint32, (h, w).
    classes
        uint8, (h, w), the most probable class; None for two.
    axes, shape, tags
        As the image has them.
    """

    probabilities: list[Any]
    instances: list[Any]
    classes: list[Any] | None
    largest: int
    """The largest number of an instance."""
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
    """Segment all pages region by region; ``advance`` is called after each region and each page.

    Where no channel has data, by ``nodata`` or by the file's own tag, there is background, with a
    probability of 1.

    Raises
    ------
    NotFiniteError
        If a page has values that are NaN, infinite, or beyond float32 once they are scaled.
    ValueError
        If the file is damaged.
    """
    nodata = opened.find_nodata(nodata)
    probabilities, instances, classes = [], [], []
    largest = 0
    for page in opened.pages:
        image, (height, width) = Scaled(page, normalization, nodata), page.shape[1:]
        kept: Any = None
        for rows, columns in predictor.regions(height, width):
            found = predictor.probabilities(image, (rows, columns)).numpy()
            place = slice(*rows), slice(*columns)
            if (missing := image.missing(*place)) is not None:
                found[:, missing], found[0, missing] = 0, 1
            two = len(found) == 2
            if kept is None:
                kept = new_array((height, width) if two else (len(found), height, width), "float32")
                if not two:
                    classes.append(new_array((height, width), "uint8"))
            if two:
                kept[place] = 1 - found[0]
            else:
                kept[(slice(None), *place)] = found
                classes[-1][place] = found.argmax(0)
            advance()
        probabilities.append(kept)
        instances.append(new_array((height, width), "uint32"))
        whole = TwoClasses(kept) if kept.ndim == 2 else kept
        largest = max(largest, label(predictor.postprocessing, whole, instances[-1]))
        for place in [] if not nodata else predictor.regions(height, width):
            clear(instances[-1], image, slice(*place[0]), slice(*place[1]))
        advance()
    return Segmented(
        probabilities, instances, classes or None, largest, opened.axes, opened.shape, opened.tags
    )


def label(postprocessing: Any, probabilities: Any, out: Any) -> int:
    """Write the instances of a page, block by block where the postprocessing can; count them."""
    if hasattr(postprocessing, "in_blocks"):
        return postprocessing.in_blocks(probabilities, out)
    whole = np.asarray(probabilities[:, :, :])
    found = np.asarray(postprocessing(torch.from_numpy(whole)))
    out[:, :] = found
    return int(found.max(initial=0))


def clear(instances: Any, image: Scaled, rows: slice, columns: slice) -> None:
    """Remove what postprocessing has filled in where there are no data."""
    missing = image.missing(rows, columns)
    if missing is not None and missing.any():
        instances[rows, columns] = np.where(missing, 0, np.asarray(instances[rows, columns]))


class TwoClasses:
    """Probabilities (2, h, w) of background and foreground, of which the second are kept."""

    def __init__(self, foreground: Any) -> None:
        self.foreground, self.shape = foreground, (2, *foreground.shape)

    def __getitem__(self, key: tuple[Any, ...]) -> np.ndarray:
        inside = np.asarray(self.foreground[key[-2:]])
        return np.stack([1 - inside, inside])[key[0]]


@contextmanager
def scratch(folder: Path, in_memory: int | None = None) -> Iterator[NewArray]:
    """Give a maker of arrays: in memory up to a limit, then in a hidden folder until the end.

    What calls that were killed left there is removed.

    >>> with tempfile.TemporaryDirectory() as folder, scratch(Path(folder), 100) as new_array:
    ...     small, large = new_array((5, 5), "float32"), new_array((9, 9), "float32")
    >>> type(small).__name__, type(large).__name__
    ('ndarray', 'Array')
    """
    left, places = IN_MEMORY if in_memory is None else in_memory, []
    remove_orphans(folder)

    def new_array(shape: tuple[int, ...], dtype: str) -> Any:
        nonlocal left
        left -= math.prod(shape) * np.dtype(dtype).itemsize
        if left >= 0:
            return np.zeros(shape, dtype)
        if not places:
            folder.mkdir(parents=True, exist_ok=True)
            prefix = f"{PREFIX}{socket.gethostname()}-{os.getpid()}-"
            places.append(Path(tempfile.mkdtemp(prefix=prefix, dir=folder)))
        chunks = (*(1 for _ in shape[:-2]), *(min(CHUNK, side) for side in shape[-2:]))
        place = tempfile.mkdtemp(dir=places[0])
        return zarr.create_array(place, shape=shape, dtype=dtype, chunks=chunks, overwrite=True)

    try:
        yield new_array
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)


def remove_orphans(folder: Path) -> None:
    """Remove the hidden folders of processes of this machine that are no more."""
    for place in folder.glob(f"{PREFIX}*"):
        owner = re.fullmatch(rf"{PREFIX}(.+)-(\d+)-[^-]+", place.name)
        if owner and owner[1] == socket.gethostname() and not psutil.pid_exists(int(owner[2])):
            shutil.rmtree(place, ignore_errors=True)
