"""Arrays that are read by slices: a protocol, and a wrapper that applies a function to slices.

NumPy arrays, memory maps and Zarr arrays already fulfil the protocol. So an image of any size is
processed piece by piece, from its file to the network and from the network to its results.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Shaped


@runtime_checkable
class SlicedArray(Protocol):
    """An array whose pixels are read where they are indexed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        ...

    @property
    def dtype(self) -> Any:
        """Type of the numbers that are read."""
        ...

    def __getitem__(self, key: Any, /) -> Any: ...


@runtime_checkable
class WritableArray(SlicedArray, Protocol):
    """An array that is also written by slices."""

    def __setitem__(self, key: Any, value: Any, /) -> None: ...


class MappedArray:
    """An array whose slices are computed by ``function(source, key)`` when they are read.

    Parameters
    ----------
    function
        Function of the source and of the key, which is a tuple with one slice for each axis. It
        returns the values of the result at the key.
    shape, dtype
        Shape and type of the result. The defaults are those of the source.

    >>> doubled = MappedArray(np.arange(6).reshape(2, 3), lambda array, key: 2 * array[key])
    >>> doubled.shape, doubled[0:1, 1:3].tolist()
    ((2, 3), [[2, 4]])
    """

    def __init__(
        self,
        source: Any,
        function: Callable[[Any, Any], np.ndarray],
        shape: tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> None:
        self.source, self.function = source, function
        self.shape = tuple(source.shape if shape is None else shape)
        self.dtype = np.dtype(source.dtype if dtype is None else dtype)
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any) -> Shaped[np.ndarray, "..."]:
        return self.function(self.source, key)


def memory_mapped(
    path: Path, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> MappedArray:
    """Return the uncompressed array at ``offset`` of a file.

    Each read makes a new memory map. With a single map, pages of the file would stay in the memory
    of the process as long as the map exists.
    """
    if path.stat().st_size < offset + math.prod(map(int, shape)) * dtype.itemsize:
        raise ValueError(f"cut short: {shape} values do not fit into it")
    native = dtype.newbyteorder("=")

    def read(source: Path, key: Any) -> np.ndarray:
        return np.array(np.memmap(source, dtype, "r", offset, shape)[key], native)

    return MappedArray(path, read, shape, dtype)
