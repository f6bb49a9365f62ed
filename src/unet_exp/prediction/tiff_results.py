"""Results as TIFF, page by page, with the axes and the scale of the image that they are of."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from jaxtyping import Shaped

from unet_exp.files import replacing
from unet_exp.images.stored_image import UNNAMED
from unet_exp.images.tags import UNITS, Tags

logger = logging.getLogger(__name__)

TILE = 512
"""Pages with a longer side than ``LARGE`` are written in tiles of this side."""
LARGE = 4096
IMAGEJ_TYPES = ("uint8", "uint16", "float32")
#: Units of length and of time in the OME schema of 2016-06.
OME_UNITS = {
    *(f"{prefix}{unit}" for unit in "ms" for prefix in "YZEPTGMkhdcmµnpfazy"),
    *("m", "s", "Å", "li", "in", "ft", "yd", "mi", "thou", "ua", "ly", "pc", "pt", "pixel"),
    *("min", "h", "d", "dam", "das", "reference frame"),
}
FOUR_GB = 2**32 - 2**25


def write_tiff(
    path: Path,
    pages: Sequence[Any],
    dtype: str,
    axes: str = "",
    shape: tuple[int, ...] = (),
    tags: Tags | None = None,
) -> None:
    """Write pages, each (h, w) or (k, h, w) and read by slices, as one file, whole or not at all.

    A file of ImageJ's or OME's gives a file of the same kind with the same axes and pixel sizes
    (where ImageJ knows no such type, as for 32-bit instances, a plain one), any other a plain TIFF
    with the same resolution. No description keeps pixels from being written: what cannot be handed
    on is left out.

    Parameters
    ----------
    axes, shape
        Names and lengths of the axes that the pages stand in; k is then an axis of channels.
    """
    tags = tags or Tags()
    try:
        _write(path, pages, dtype, axes, shape, tags)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if tags == Tags():
            raise
        # Hours of work are not lost for a description.
        logger.warning("%s is written without axes and pixel sizes (%s).", path, error)
        _write(path, pages, dtype, "Q" * len(shape), shape, Tags())


def _write(
    path: Path,
    pages: Sequence[Any],
    dtype: str,
    axes: str,
    shape: tuple[int, ...],
    tags: Tags,
) -> None:
    height, width = pages[0].shape[-2:]
    channels = pages[0].shape[:-2]
    whole = (*shape, *channels, height, width)
    named = not set(axes) & set(UNNAMED) and len(axes) == len(shape)
    letters = axes + "C" * len(channels) + "YX"
    size = math.prod(whole) * np.dtype(dtype).itemsize
    options: dict[str, Any] = {"metadata": {"axes": letters} if named else {}}
    if tags.resolution:
        options |= {"resolution": tags.resolution, "resolutionunit": tags.unit}
    kind: dict[str, Any] = {"bigtiff": size > FOUR_GB}
    if tags.kind == "imagej" and named and dtype in IMAGEJ_TYPES and size <= FOUR_GB:
        kind = {"imagej": True}
        options["metadata"] |= {
            name: escaped(value) if isinstance(value, str) else value
            for name, value in tags.details.items()
        }
        options.pop("resolutionunit", None)
    elif named and (tags.kind == "ome" or (tags.kind == "zarr" and tags.steps())):
        kind |= {"ome": True}
        options["metadata"] |= of_ome(tags.details) or ome_sizes(tags)
    if max(height, width) > LARGE:
        options |= {"tile": (TILE, TILE)}
        content = (tile for page in pages for tile in tiles(page, dtype))
    else:
        content = (plane for page in pages for plane in planes(page, dtype))
    with replacing(path) as part, tifffile.TiffWriter(part, **kind) as file:
        file.write(
            content, shape=whole, dtype=dtype, compression="zlib", photometric="minisblack",
            **options,
        )  # fmt: skip


def escaped(text: str) -> str:
    r"""Write letters beyond ASCII as ImageJ does, whose descriptions are ASCII.

    >>> escaped("µm")
    '\\u00B5m'
    """
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04X}" for letter in text)


def of_ome(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return OME's values whose units OME has; a size in another unit would count for micrometres.

    >>> of_ome({"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"})
    {'PhysicalSizeX': 0.5, 'PhysicalSizeXUnit': 'µm'}
    >>> of_ome({"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "furlong"})
    {}
    """
    strange = [
        name.removesuffix("Unit")
        for name, unit in details.items()
        if name.endswith("Unit") and unit not in OME_UNITS
    ]
    return {
        name: value for name, value in details.items() if name.removesuffix("Unit") not in strange
    }


def planes(page: Any, dtype: str) -> Iterator[Shaped[np.ndarray, "h w"]]:
    """Yield the channels of a page, or the page itself.

    >>> [plane.shape for plane in planes(np.zeros((3, 4, 5)), "uint8")]
    [(4, 5), (4, 5), (4, 5)]
    """
    for channel in np.asarray(page[...]).reshape(-1, *page.shape[-2:]):
        yield channel.astype(dtype)


def tiles(page: Any, dtype: str) -> Iterator[Shaped[np.ndarray, "h w"]]:
    """Yield the tiles of a page's channels in the order in which TIFF wants them."""
    height, width = page.shape[-2:]
    for channel in np.ndindex(page.shape[:-2]):
        for top in range(0, height, TILE):
            # A row of tiles at once: chunks on disk are larger than tiles.
            row = np.asarray(page[(*channel, slice(top, top + TILE), slice(None))])
            for left in range(0, width, TILE):
                yield row[:, left : left + TILE].astype(dtype)


def ome_sizes(tags: Tags) -> dict[str, Any]:
    """Give OME-TIFF's values for the steps of an image of OME-Zarr.

    >>> ome_sizes(Tags("zarr", scale={"x": (0.5, "nanometer"), "t": (3.0, None)}))
    {'PhysicalSizeX': 0.5, 'PhysicalSizeXUnit': 'nm', 'TimeIncrement': 3.0}
    """
    symbols = {name: symbol for symbol, name in reversed(UNITS.items())}
    values: dict[str, Any] = {}
    for axis, (size, unit) in tags.steps().items():
        name = "TimeIncrement" if axis == "t" else f"PhysicalSize{axis.upper()}"
        values[name] = size
        if unit:
            values[f"{name}Unit"] = symbols.get(unit, unit)
    return of_ome(values)
