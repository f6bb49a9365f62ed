"""Write results as OME-Zarr 0.4 (ngff.openmicroscopy.org), at full and lower resolutions."""

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.files import replacing
from unet_exp.images.ome_zarr import is_zarr
from unet_exp.images.tags import Tags

CHUNK = 1024
SMALLEST = 1024
"""Lower resolutions are added until no side is longer than this."""
ORDER = "TCZYX"
"""The order of axes in the format."""


def write_zarr(
    path: Path,
    pages: Sequence[Any],
    dtype: str,
    axes: str = "",
    shape: tuple[int, ...] = (),
    tags: Tags | None = None,
    instances: bool = False,
) -> None:
    """Write pages, each (h, w) or (k, h, w) and read by slices, to one folder, atomically.

    An axis whose name is unknown to the format becomes depth; several such axes become one. Each
    lower resolution takes every second pixel, which keeps instance numbers.
    """
    import zarr  # takes a tenth of a second, which other results do not need

    tags = tags or Tags()
    letters = "".join(letter if letter in ORDER else "Z" for letter in axes)
    if len(set(letters)) < len(letters) or (len(pages[0].shape) > 2 and "C" in letters):
        letters, shape = "Z", (len(pages),)
    if path.exists() and not is_zarr(path):
        raise FileExistsError(errno.EEXIST, "no Zarr folder", str(path))
    *channels, height, width = pages[0].shape
    letters += "C" * len(channels)
    lengths = dict(zip(letters, (*shape, *channels), strict=True))
    order = [letter for letter in ORDER if letter in letters]
    with replacing(path) as part:
        group = zarr.create_group(part, zarr_format=2)
        level = add_level(group, 0, [lengths[a] for a in order], height, width, dtype)
        for page, position in zip(pages, np.ndindex(shape), strict=True):
            for channel in np.ndindex(*channels):
                indices = dict(zip(letters, (*position, *channel), strict=True))
                target = tuple(indices[a] for a in order)
                for top in range(0, height, CHUNK):
                    rows = slice(top, top + CHUNK), slice(None)
                    level[(*target, *rows)] = np.asarray(page[(*channel, *rows)]).astype(dtype)
        levels = 1
        while max(level.shape[-2:]) > SMALLEST:
            level = add_halved(group, levels, level)
            levels += 1
        names = (*order, "Y", "X")
        group.attrs["multiscales"] = [
            {
                "version": "0.4",
                # File names may contain bytes that JSON cannot store.
                "name": path.stem.encode(errors="replace").decode(),
                "axes": [describe_axis(name, tags) for name in names],
                "datasets": [describe_level(number, names, tags) for number in range(levels)],
            }
        ]
        if instances:
            group.attrs["image-label"] = {"version": "0.4"}


def add_level(
    group: Any, number: int, lengths: Sequence[int], height: int, width: int, dtype: Any
) -> Any:
    """Create the array of one resolution."""
    return group.create_array(
        str(number),
        shape=(*lengths, height, width),
        chunks=(*(1 for _ in lengths), min(CHUNK, height), min(CHUNK, width)),
        dtype=dtype,
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )


def add_halved(group: Any, number: int, finer: Any) -> Any:
    """Write the next lower resolution: every second row and column."""
    *lengths, height, width = finer.shape
    level = add_level(group, number, lengths, -(-height // 2), -(-width // 2), finer.dtype)
    for index in np.ndindex(*lengths):
        for top in range(0, height, 2 * CHUNK):
            band = finer[(*index, slice(top, top + 2 * CHUNK), slice(None))][::2, ::2]
            level[(*index, slice(top // 2, top // 2 + len(band)), slice(None))] = band
    return level


def describe_axis(letter: str, tags: Tags) -> dict[str, str]:
    """Return an axis's metadata, with the image's unit."""
    name = letter.lower()
    kind = {"t": "time", "c": "channel"}.get(name, "space")
    unit = tags.steps().get(name, (1.0, None))[1]
    return {"name": name, "type": kind} | ({"unit": unit} if unit else {})


def describe_level(level: int, names: Sequence[str], tags: Tags) -> dict[str, Any]:
    """Return a resolution's metadata: its path and its pixel sizes."""
    steps = tags.steps()
    # There is no translation, because a pixel is the first of the pixels that it replaces.
    scale = [
        steps.get(name.lower(), (1.0, None))[0] * (2**level if name in "YX" else 1)
        for name in names
    ]
    transformations = [{"type": "scale", "scale": scale}]
    return {"path": str(level), "coordinateTransformations": transformations}
