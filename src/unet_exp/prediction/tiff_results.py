"""Write results as TIFF page by page, with the axes and pixel sizes of their image."""

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
from unet_exp.images.tags import SYMBOLS, Tags
from unet_exp.prediction.lookup_table import LookupTable

logger = logging.getLogger(__name__)

TILE = 512
"""Pages with a side longer than ``LARGE`` are written in tiles of this side."""
LARGE = 4096
IMAGEJ_AXES = ("", "T", "Z", "TZ")
IMAGEJ_TYPES = ("uint8", "uint16", "float32")
#: ImageJ's names of TIFF's units.
IMAGEJ_UNITS = {2: "inch", 3: "cm", 4: "mm", 5: "um"}
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
    lookup_table: LookupTable | None = None,
) -> None:
    """Write pages, each (h, w) or (k, h, w) and read by slices, to one file, atomically.

    ``axes`` and ``shape`` are the names and lengths of the axes of pages. k is an axis of channels.

    Results of ImageJ files are ImageJ files, and those of OME files are OME files; only 32-bit
    instances are not written for ImageJ, which has no such type. All other results are plain TIFF
    with the image's resolution. Metadata that cannot be written are dropped; the pixels are always
    written.

    With a ``lookup_table``, results are ImageJ files and open in colours, except for OME files, for
    32 bits, and for sides of more than 4096 pixels.
    """
    tags = tags or Tags()
    try:
        _write(path, pages, dtype, axes, shape, tags, lookup_table)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if tags == Tags():
            raise
        # The pixels may have taken hours, so they are written without the metadata.
        logger.warning("%s is written without axes and pixel sizes (%s).", path, error)
        _write(path, pages, dtype, "Q" * len(shape), shape, Tags(), None)


def _write(
    path: Path,
    pages: Sequence[Any],
    dtype: str,
    axes: str,
    shape: tuple[int, ...],
    tags: Tags,
    lookup_table: LookupTable | None,
) -> None:
    *channels, height, width = pages[0].shape
    whole = (*shape, *channels, height, width)
    size = math.prod(whole) * np.dtype(dtype).itemsize
    named = not set(axes) & set(UNNAMED) and len(axes) == len(shape)
    metadata: dict[str, Any] = {"axes": axes + "C" * len(channels) + "YX"} if named else {}
    options: dict[str, Any] = {}
    if tags.resolution:
        options |= {"resolution": tags.resolution, "resolutionunit": tags.unit}
    if max(height, width) > LARGE:
        options |= {"tile": (TILE, TILE)}
    kind: dict[str, Any] = {"bigtiff": size > FOUR_GB}
    is_ome = tags.kind == "ome" or (tags.kind == "zarr" and bool(tags.steps()))
    # ImageJ shows an axis without a name as depth.
    stack = axes if named and axes in IMAGEJ_AXES else "Z" if len(shape) == 1 else None
    fits_imagej = dtype in IMAGEJ_TYPES and size <= FOUR_GB
    in_colours = lookup_table and stack is not None and not is_ome and "tile" not in options
    if fits_imagej and ((tags.kind == "imagej" and named) or in_colours):
        kind = {"imagej": True}
        metadata |= imagej_values(tags)
        options.pop("resolutionunit", None)
        if lookup_table and in_colours:
            metadata |= {"axes": f"{stack}YX"} | lookup_table.tags()
            options["colormap"] = lookup_table.colormap()
    elif named and is_ome:
        kind |= {"ome": True}
        metadata |= valid_ome(tags.details) or valid_ome(ome_sizes(tags))
    read = tiles if "tile" in options else planes
    with replacing(path) as part, tifffile.TiffWriter(part, **kind) as file:
        file.write(
            (block.astype(dtype) for page in pages for block in read(page)),
            shape=whole, dtype=dtype, compression="zlib", photometric="minisblack",
            metadata=metadata, **options,
        )  # fmt: skip


def imagej_values(tags: Tags) -> dict[str, Any]:
    """Return the pixel sizes and times in ImageJ's metadata.

    >>> imagej_values(Tags("tiff", ((300, 1), (300, 1)), 2))
    {'unit': 'inch'}
    """
    details = tags.details if tags.kind == "imagej" else {}
    if tags.kind == "tiff" and tags.resolution and tags.unit in IMAGEJ_UNITS:
        details = {"unit": IMAGEJ_UNITS[tags.unit]}
    return {k: to_ascii(value) if isinstance(value, str) else value for k, value in details.items()}


def to_ascii(text: str) -> str:
    r"""Escape letters beyond ASCII as ImageJ does.

    >>> to_ascii("µm")
    '\\u00B5m'
    """
    return "".join(letter if letter.isascii() else f"\\u{ord(letter):04X}" for letter in text)


def valid_ome(details: Mapping[str, Any]) -> dict[str, Any]:
    """Drop sizes in units that OME lacks, because readers would assume micrometres.

    >>> valid_ome({"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"})
    {'PhysicalSizeX': 0.5, 'PhysicalSizeXUnit': 'µm'}
    >>> valid_ome({"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "furlong"})
    {}
    """
    units = {name: unit for name, unit in details.items() if name.endswith("Unit")}
    unknown = {name.removesuffix("Unit") for name, u in units.items() if u not in OME_UNITS}
    return {k: value for k, value in details.items() if k.removesuffix("Unit") not in unknown}


def ome_sizes(tags: Tags) -> dict[str, Any]:
    """Return the pixel sizes of an OME-Zarr image with OME-TIFF's names.

    >>> ome_sizes(Tags("zarr", scale={"x": (0.5, "nanometer"), "t": (3.0, None)}))
    {'PhysicalSizeX': 0.5, 'PhysicalSizeXUnit': 'nm', 'TimeIncrement': 3.0}
    """
    values: dict[str, Any] = {}
    for axis, (size, unit) in tags.steps().items():
        name = "TimeIncrement" if axis == "t" else f"PhysicalSize{axis.upper()}"
        values[name] = size
        if unit:
            values[f"{name}Unit"] = SYMBOLS.get(unit, unit)
    return values


def planes(page: Any) -> Iterator[Shaped[np.ndarray, "h w"]]:
    """Yield the channels of a page, or the page itself.

    >>> [plane.shape for plane in planes(np.zeros((3, 4, 5)))]
    [(4, 5), (4, 5), (4, 5)]
    """
    yield from np.asarray(page[...]).reshape(-1, *page.shape[-2:])


def tiles(page: Any) -> Iterator[Shaped[np.ndarray, "h w"]]:
    """Yield the tiles of a page's channels in the order of TIFF."""
    height, width = page.shape[-2:]
    for channel in np.ndindex(page.shape[:-2]):
        for top in range(0, height, TILE):
            # Read a whole row of tiles: chunks on disk are larger than tiles.
            row = np.asarray(page[(*channel, slice(top, top + TILE), slice(None))])
            for left in range(0, width, TILE):
                yield row[:, left : left + TILE]
