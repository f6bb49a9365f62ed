"""Leica's LIF files, read with liffile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.images.extra import reader
from unet_exp.images.limits import require_memory, require_plausible, size
from unet_exp.images.stored_image import StoredImage, choose_series
from unet_exp.images.tags import Tags, micrometre_tags

SIGNATURES = (b"\x70\0\0\0",)


@contextmanager
def open_lif(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Read an image of a LIF; all its pixels are read at once."""
    liffile = reader("liffile", "LIF")
    with liffile.LifFile(path) as file:
        images = list(file.images)
        if not images:
            raise ValueError("it holds no images")
        image = images[choose_series(path, series, len(images), f"images ({images[0].name}, ...)")]
        declared = size(image.shape, image.dtype.itemsize)
        require_plausible(declared, [path.stat().st_size], size(image.shape[:-2]))
        require_memory(declared, "it")
        array = np.asarray(image.asarray()).reshape(image.shape)
        yield StoredImage(array, "".join(image.dims), tags=read_scale(image))


def read_scale(image: Any) -> Tags:
    """Return the distances between pixels; they are in metres and seconds in the file."""
    steps = {
        axis.lower(): float(values[1] - values[0]) * (1 if axis == "T" else 1e6)
        for axis, values in image.coords.items()
        if axis in ("X", "Y", "Z", "T") and len(values) > 1
    }
    return micrometre_tags(steps)
