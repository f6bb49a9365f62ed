"""TIFF files, read at once or by slices."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import TiffFile, TiffPageSeries

from unet_exp.arrays import memory_mapped
from unet_exp.images.display import read_display
from unet_exp.images.limits import require_memory, require_plausible, size
from unet_exp.images.stored_image import StoredImage, require_series
from unet_exp.images.tags import read_tags
from unet_exp.images.tiff_images import choose_image, joined_array
from unet_exp.images.tiff_series import open_series

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@contextmanager
def open_tiff(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Open the image in a TIFF; read it at once up to ``in_memory`` bytes.

    Without ``series``, `tiff_series` and `tiff_images` choose the pages. A damaged file raises any
    exception of tifffile or its codecs, here or when a slice is read.
    """
    with open_series(path) as (file, found):
        require_series(series, len(found))
        image = choose_image(path, file, found if series is None else [found[series]])
        page, dtype = image.first_page, image.parts[0].dtype
        if dtype is None:
            raise ValueError(
                f"its pixels are of a type that is not read ({page.bitspersample} bit)"
            )
        pages = size(image.shape) // max(size(page.shape), 1)
        declared = size(image.shape, dtype.itemsize)
        require_plausible(declared, [path.stat().st_size], pages)
        display = read_display(path, page)
        image.require_alike()
        alpha = any(kind in (1, 2) for kind in getattr(page, "extrasamples", ()))
        at_once = declared <= in_memory
        if at_once:
            require_memory(declared, "it")
        arrays = [_array(path, file, part, at_once) for part in image.parts]
        tags = read_tags(file, image.shape)
        yield StoredImage(
            joined_array(arrays, image.shape),
            display.axes(image.axes),
            alpha,
            tags.transposed() if display.transposed else tags,
            display,
        )


def _array(path: Path, file: TiffFile, series: TiffPageSeries, at_once: bool) -> Any:
    """Read pages of one type and compression, or open them to be read by slices."""
    if at_once:
        return series.asarray().reshape(series.shape)
    dtype = np.dtype(series.dtype)
    if series.dataoffset is not None:
        stored = dtype.newbyteorder(file.byteorder)
        return memory_mapped(path, series.dataoffset, stored, series.shape)
    require_memory(size(series.keyframe.chunks, dtype.itemsize), "one of its strips or tiles")
    import zarr  # takes a tenth of a second, which files that are read at once do not need

    return zarr.open_array(series.aszarr(level=0), mode="r")
