"""The formats of image files.

A new format needs a module that opens a file as a `StoredImage`, and an entry in ``FORMATS``.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from unet_exp.images import npy, ome_zarr, png, tiff
from unet_exp.images.stored_image import StoredImage


@dataclass(frozen=True)
class Format:
    """A format of files, known by their first bytes.

    ``open`` takes a path, and the number of bytes up to which all pixels are read at once.
    """

    name: str
    suffixes: tuple[str, ...]
    signatures: tuple[bytes, ...]
    open: Callable[[Path, int], AbstractContextManager[StoredImage]]


FORMATS = (
    Format("PNG", (".png",), png.SIGNATURES, png.open_png),
    Format("TIFF", (".tif", ".tiff", ".lsm"), tiff.SIGNATURES, tiff.open_tiff),
    Format("NPY", (".npy",), npy.SIGNATURES, npy.open_npy),
)
SUFFIXES = tuple(suffix for format_ in FORMATS for suffix in format_.suffixes)


def open_stored(path: Path, in_memory: int) -> AbstractContextManager[StoredImage]:
    """Open a file of any format, or a Zarr folder."""
    if ome_zarr.is_zarr(path):
        return ome_zarr.open_zarr(path, in_memory)
    if path.exists() and not path.is_file():  # opening a pipe may never end
        raise ValueError("neither a file nor a Zarr folder")
    with path.open("rb") as file:
        start = file.read(8)
    for known in FORMATS:
        if start.startswith(known.signatures):
            return known.open(path, in_memory)
    raise ValueError(f"neither {' nor '.join(known.name for known in FORMATS)}")
