"""NumPy's NPY files, read at once or by slices."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.arrays import memory_mapped
from unet_exp.images.limits import require_memory, size
from unet_exp.images.stored_image import StoredImage, require_series
from unet_exp.numbers import format_bytes

SIGNATURES = (b"\x93NUMPY",)


@contextmanager
def open_npy(path: Path, in_memory: int, series: int | None = None) -> Iterator[StoredImage]:
    """Open an NPY file; read it at once up to ``in_memory`` bytes."""
    require_series(series, 1)
    with path.open("rb") as file:
        shape, dtype = read_header(file)
        declared, stored = size(shape, dtype.itemsize), path.stat().st_size - file.tell()
    if dtype.kind == "O" or min(shape, default=0) < 0:
        raise ValueError("it holds no numbers")
    # NumPy's own product of the shape may overflow.
    if declared > stored:
        raise ValueError(f"cut short: {format_bytes(declared)} of pixels do not fit into it")
    if declared <= in_memory:
        require_memory(declared, "it")
        array = np.load(path, allow_pickle=False)
    else:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.flags.c_contiguous:
            array = memory_mapped(path, array.offset, array.dtype, array.shape)
    yield StoredImage(array)


def read_header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and the type that an NPY file declares, and stop before its numbers."""
    if np.lib.format.read_magic(file) >= (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return shape, dtype
