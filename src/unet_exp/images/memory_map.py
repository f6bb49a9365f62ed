"""Uncompressed arrays in files, read by slices."""

from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.arrays import MappedArray
from unet_exp.images.limits import size


def memory_mapped(
    path: Path, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> MappedArray:
    """Return the uncompressed array at ``offset`` of a file.

    Each read makes a memory map of its own: pages of the file would stay in the process's memory
    as long as one map lives.

    Raises
    ------
    ValueError
        The file is too short.
    """
    if path.stat().st_size < offset + size(shape, dtype.itemsize):
        raise ValueError(f"cut short: {shape} values do not fit into it")
    native = dtype.newbyteorder("=")

    def read(source: Path, key: Any) -> np.ndarray:
        return np.array(np.memmap(source, dtype, "r", offset, shape)[key], native)

    return MappedArray(path, read, shape, dtype)
