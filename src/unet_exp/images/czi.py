"""Zeiss's CZI files, read by slices with Zeiss's own library (pylibCZIrw)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from unet_exp.arrays import MappedArray
from unet_exp.images.extra import reader
from unet_exp.images.limits import require_plausible, size
from unet_exp.images.stored_image import StoredImage, choose_series
from unet_exp.images.tags import Tags, micrometre_tags
from unet_exp.numbers import parse_number

SIGNATURES = (b"ZISRAWFI",)
PIXELS = {
    "Gray8": ("uint8", 1), "Gray16": ("uint16", 1), "Gray32Float": ("float32", 1),
    "Bgr24": ("uint8", 3), "Bgr48": ("uint16", 3), "Bgr96Float": ("float32", 3),
}  # fmt: skip
"""Data type and number of samples, by CZI pixel type."""


@contextmanager
def open_czi(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Open a scene of a CZI; ``series`` is its place among the scenes, from 0."""
    pyczi = reader("pylibCZIrw.czi", "CZI")
    with pyczi.open_czi(str(path)) as document:
        scene = find_scene(path, document, series)
        dtype, samples = pixel_type(document)
        spans = document.total_bounding_box
        others = [n for n, span in spans.items() if n not in "TZCYX" and len(range(*span)) > 1]
        if others:
            raise ValueError(f"its dimensions {', '.join(others)} are not read")
        source = Source(document, scene, [range(*spans.get(axis, (0, 1))) for axis in "TZC"])
        shape = (*map(len, source.spans), scene.height, scene.width, samples)
        declared = size(shape, np.dtype(dtype).itemsize)
        require_plausible(declared, [path.stat().st_size], size(shape[:3]))
        yield StoredImage(
            MappedArray(source, read, shape, dtype), "TZCYXS", tags=read_scale(document)
        )


@dataclass(frozen=True)
class Scene:
    """The rectangle of a scene in the coordinates of its file; ``number`` is None for the whole."""

    number: int | None
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Source:
    """An open file, a scene, and its numbers of times, depths and channels."""

    document: Any
    scene: Scene
    spans: list[range]


def find_scene(path: Path, document: Any, series: int | None) -> Scene:
    """Return the scene to read: the first one, unless another is given."""
    scenes = sorted(document.scenes_bounding_rectangle.items())
    place = choose_series(path, series, max(len(scenes), 1), "scenes")
    if not scenes:
        return Scene(None, *document.total_bounding_rectangle)
    number, rectangle = scenes[place]
    return Scene(number, *rectangle)


def pixel_type(document: Any) -> tuple[str, int]:
    """Return the type and the samples of all channels."""
    kinds = set(document.pixel_types.values())
    if len(kinds) != 1 or not kinds <= set(PIXELS):
        raise ValueError(f"its channels are of the types {', '.join(map(str, sorted(kinds)))}")
    return PIXELS[kinds.pop()]


def read(source: Source, key: tuple[Any, ...]) -> Shaped[np.ndarray, "..."]:
    """Read a part of an image of the axes TZCYXS; indices are numbers or slices."""
    scene = source.scene
    *numbers, rows, columns, samples = key
    top, bottom, _ = rows.indices(scene.height)
    left, right, _ = columns.indices(scene.width)
    place = (scene.left + left, scene.top + top, right - left, bottom - top)
    wanted = [
        span[number] if isinstance(number, slice) else [span[number]]
        for span, number in zip(source.spans, numbers, strict=True)
    ]
    planes = [
        source.document.read(place, dict(zip("TZC", plane, strict=True)), scene.number)
        for plane in product(*wanted)
    ]
    stack = np.reshape(planes, (*map(len, wanted), *planes[0].shape))[..., ::-1]  # it is BGR
    # An axis with a single number is dropped, as NumPy does.
    kept = tuple(slice(None) if isinstance(number, slice) else 0 for number in numbers)
    return stack[(*kept, slice(None), slice(None), samples)]


def read_scale(document: Any) -> Tags:
    """Return the pixel sizes in the metadata; they are in metres there."""
    try:
        items = document.metadata["ImageDocument"]["Metadata"]["Scaling"]["Items"]["Distance"]
        metres = {item["@Id"].lower(): parse_number(item["Value"]) for item in items}
        return micrometre_tags({axis: 1e6 * value for axis, value in metres.items() if value})
    except (KeyError, TypeError, AttributeError, ValueError):
        return Tags()
