"""Results as OME-Zarr 0.4 (ngff.openmicroscopy.org), with the finest and smaller resolutions."""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from unet_exp.files import replacing
from unet_exp.images.ome_zarr import is_zarr
from unet_exp.images.tags import Tags

CHUNK = 1024
SMALLEST = 1024
"""Resolutions are halved until an image has no longer side."""
ORDER = "TCZYX"


def write_zarr(
    path: Path,
    pages: Sequence[Any],
    dtype: str,
    axes: str = "",
    shape: tuple[int, ...] = (),
    tags: Tags | None = None,
    instances: bool = False,
) -> None:
    """Write pages, each (h, w) or (k, h, w) and read by slices, as one folder, whole or not at all.

    Axes stand in the order that the format asks for (time, channel, depth, rows, columns); one
    without a name, or of another, is taken for depth, and several such for one. Smaller resolutions
    take every second pixel of the one before, which keeps the numbers of instances.
    """
    tags = tags or Tags()
    letters = "".join(letter if letter in ORDER else "Z" for letter in axes)
    if len(set(letters)) < len(letters) or (len(pages[0].shape) > 2 and "C" in letters):
        letters, shape = "Z", (len(pages),)
    if path.exists() and not is_zarr(path):
        raise FileExistsError(errno.EEXIST, "no Zarr folder", str(path))
    channels = pages[0].shape[:-2]
    letters += "C" * len(channels)
    sides = dict(zip(letters, (*shape, *channels), strict=True))
    order = [letter for letter in ORDER if letter in letters]
    height, width = pages[0].shape[-2:]
    with replacing(path) as part:
        group = zarr.create_group(part, zarr_format=2)
        levels = 1
        finest = new_level(group, 0, [sides[a] for a in order], height, width, dtype)
        for number, at in enumerate(np.ndindex(shape)):
            for channel in np.ndindex(channels):
                place = dict(zip(letters, (*at, *channel), strict=True))
                index = tuple(place[a] for a in order)
                for top in range(0, height, CHUNK):
                    rows = slice(top, top + CHUNK)
                    band = pages[number][(*channel, rows, slice(None))]
                    finest[(*index, rows, slice(None))] = np.asarray(band).astype(dtype)
        level = finest
        while max(level.shape[-2:]) > SMALLEST:
            level = halved(group, level, levels)
            levels += 1
        group.attrs["multiscales"] = [
            {
                "version": "0.4",
                "name": printable(path.stem),
                "axes": [named_axis(a, tags) for a in (*order, "Y", "X")],
                "datasets": [dataset(n, (*order, "Y", "X"), tags) for n in range(levels)],
            }
        ]
        if instances:
            group.attrs["image-label"] = {"version": "0.4"}


def printable(name: str) -> str:
    """Return a name as text that JSON can hold, whatever bytes it is made of."""
    return name.encode(errors="replace").decode()


def new_level(
    group: Any, number: int, sides: Sequence[int], height: int, width: int, dtype: str
) -> Any:
    """Create the array of a resolution."""
    return group.create_array(
        str(number),
        shape=(*sides, height, width),
        chunks=(*(1 for _ in sides), min(CHUNK, height), min(CHUNK, width)),
        dtype=dtype,
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )


def halved(group: Any, finer: Any, number: int) -> Any:
    """Write the next resolution: every second row and column."""
    *sides, height, width = finer.shape
    level = new_level(group, number, sides, -(-height // 2), -(-width // 2), finer.dtype)
    for index in np.ndindex(*sides):
        for top in range(0, height, 2 * CHUNK):
            band = finer[(*index, slice(top, top + 2 * CHUNK), slice(None))][::2, ::2]
            level[(*index, slice(top // 2, top // 2 + len(band)), slice(None))] = band
    return level


def named_axis(letter: str, tags: Tags) -> dict[str, str]:
    """Describe an axis, with the unit that the image has."""
    name = letter.lower()
    kind = {"t": "time", "c": "channel"}.get(name, "space")
    unit = tags.steps().get(name, (1.0, None))[1]
    return {"name": name, "type": kind} | ({"unit": unit} if unit else {})


def dataset(level: int, order: Sequence[str], tags: Tags) -> dict[str, Any]:
    """Describe a resolution: where it lies and how large its pixels are."""
    steps = tags.steps()
    factors = [
        steps.get(letter.lower(), (1.0, None))[0] * (2**level if letter in "YX" else 1)
        for letter in order
    ]
    # The first of 2**level pixels stands for them, so nothing is shifted.
    transformations = [{"type": "scale", "scale": factors}]
    return {"path": str(level), "coordinateTransformations": transformations}
