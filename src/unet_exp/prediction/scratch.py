"""Arrays for results: small ones in memory, others in a temporary folder on disk."""

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.files import hidden, remove_orphans

IN_MEMORY = 2**27
"""Bytes of results that are kept in memory until they are written."""
CHUNK = 1024

NewArray = Callable[[tuple[int, ...], str], Any]


@contextmanager
def scratch(folder: Path, in_memory: int | None = None) -> Iterator[NewArray]:
    """Provide a function that creates arrays. Those on disk are removed at the end.

    Folders of processes that were killed are removed at the beginning, see `files.remove_orphans`.

    >>> with tempfile.TemporaryDirectory() as folder, scratch(Path(folder), 100) as new_array:
    ...     small, large = new_array((5, 5), "float32"), new_array((9, 9), "float32")
    >>> type(small).__name__, type(large).__name__
    ('ndarray', 'Array')
    """
    left = IN_MEMORY if in_memory is None else in_memory
    temporary: Path | None = None
    remove_orphans(folder.absolute())

    def new_array(shape: tuple[int, ...], dtype: str) -> Any:
        nonlocal left, temporary
        left -= math.prod(shape) * np.dtype(dtype).itemsize
        if left >= 0:
            return np.zeros(shape, dtype)
        if temporary is None:
            temporary = hidden(folder / "segmenting")
            temporary.mkdir(parents=True)
        chunks = (*(1 for _ in shape[:-2]), *(min(CHUNK, side) for side in shape[-2:]))
        store = tempfile.mkdtemp(dir=temporary)
        import zarr  # takes a tenth of a second, which small images do not need

        return zarr.create_array(store, shape=shape, dtype=dtype, chunks=chunks, overwrite=True)

    try:
        yield new_array
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
