"""Nikon's ND2 files, read frame by frame with the package nd2."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.arrays import MappedArray
from unet_exp.images.errors import RefusedError
from unet_exp.images.extra import reader
from unet_exp.images.limits import require_plausible, size
from unet_exp.images.stored_image import StoredImage, choose_series
from unet_exp.images.tags import Tags, micrometre_tags

SIGNATURES = (b"\xda\xce\xbe\x0a",)
LOOPS = {"TimeLoop": "T", "NETimeLoop": "T", "XYPosLoop": "P", "ZStackLoop": "Z"}
"""Letter of an axis, by the name of its loop; P are positions of the stage."""
logger = logging.getLogger(__name__)


@contextmanager
def open_nd2(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Open a position of an ND2; ``series`` is its number, from 0."""
    with reader("nd2", "ND2").ND2File(path) as file:
        axes, counts = read_loops(file)
        count = counts[axes.index("P")] if "P" in axes else 1
        position = choose_series(path, series, count, "positions")
        frame = frame_shape(file)
        require_plausible(
            size((*counts, *frame), file.dtype.itemsize), [path.stat().st_size], prod(counts)
        )
        if file.attributes.sequenceCount < prod(counts):
            logger.warning(
                "%s holds %d of its %d planes, because the recording was stopped. The others are "
                "read as zeros.", path, file.attributes.sequenceCount, prod(counts),
            )  # fmt: skip

        def read(source: Any, key: tuple[Any, ...]) -> Shaped[np.ndarray, "..."]:
            """Read a part of a frame, given numbers of T and Z and slices of the last axes."""
            place = list(key[: -len(frame)])
            if "P" in axes:
                place.insert(axes.index("P"), position)
            number = int(np.ravel_multi_index(place, counts)) if counts else 0
            pixels = source.read_frame(number).reshape(frame)
            if frame[-1] == 3:  # NIS-Elements stores blue first (Bio-Formats, pull request 4321)
                pixels = pixels[..., ::-1]
            return np.array(pixels[key[-len(frame) :]])

        pages = [(axis, count) for axis, count in zip(axes, counts, strict=True) if axis != "P"]
        shape = (*(count for _, count in pages), *frame)
        letters = "".join(axis for axis, _ in pages) + "CYXS"
        yield StoredImage(
            MappedArray(file, read, shape, file.dtype), letters, tags=read_scale(file)
        )


def frame_shape(file: Any) -> tuple[int, int, int, int]:
    """Return the channels, rows, columns and samples (red, green, blue) of a frame."""
    facts = file.attributes
    return facts.channelCount or 1, facts.heightPx, facts.widthPx or 0, file.components_per_channel


def read_loops(file: Any) -> tuple[str, tuple[int, ...]]:
    """Return the letters and the lengths of the axes over which frames follow each other."""
    kinds = [loop.type for loop in file.experiment]
    others = [kind for kind in kinds if kind not in LOOPS]
    axes = "".join(LOOPS.get(kind, "?") for kind in kinds)
    if others or len(set(axes)) < len(axes):
        raise RefusedError(
            f"its dimensions {', '.join(kinds)} are not read: save it as OME-TIFF in NIS-Elements"
        )
    return axes, tuple(loop.count for loop in file.experiment)


def read_scale(file: Any) -> Tags:
    """Return the pixel sizes in micrometres; none if the microscope was not calibrated."""
    try:
        volume = file.metadata.channels[0].volume
        known = zip("xyz", volume.axesCalibration, volume.axesCalibrated, strict=True)
        return micrometre_tags({axis: step for axis, step, is_known in known if is_known})
    except Exception:  # whatever the package raises for unusual metadata: the pixels are readable
        return Tags()
