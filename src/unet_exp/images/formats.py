"""The formats of image files.

A new format needs a module that opens a file as a `StoredImage`, and an entry in ``FORMATS``.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from unet_exp.images import czi, lif, nd2, npy, ome_zarr, pictures, png, tiff
from unet_exp.images.stored_image import StoredImage


@dataclass(frozen=True)
class Format:
    """A format of files, known by their first bytes.

    ``open`` takes a path, the number of bytes up to which all pixels are read at once, and the
    number of the series, or None.
    """

    name: str
    suffixes: tuple[str, ...]
    signatures: tuple[bytes, ...]
    open: Callable[[Path, int, int | None], AbstractContextManager[StoredImage]]
    lossy: bool = False
    """Whether it may change pixels, and therefore the numbers of labels."""


FORMATS = (
    Format("PNG", (".png",), png.SIGNATURES, png.open_png),
    Format("TIFF", (".tif", ".tiff", ".lsm"), tiff.SIGNATURES, tiff.open_tiff),
    Format("NPY", (".npy",), npy.SIGNATURES, npy.open_npy),
    Format("JPEG", (".jpg", ".jpeg"), pictures.JPEG, pictures.open_picture, lossy=True),
    Format("BMP", (".bmp",), pictures.BMP, pictures.open_picture),
    Format("WebP", (".webp",), pictures.WEBP, pictures.open_picture, lossy=True),
    Format("CZI", (".czi",), czi.SIGNATURES, czi.open_czi),
    Format("LIF", (".lif",), lif.SIGNATURES, lif.open_lif),
    Format("ND2", (".nd2",), nd2.SIGNATURES, nd2.open_nd2),
)
SUFFIXES = tuple(suffix for format_ in FORMATS for suffix in format_.suffixes)


def is_lossy(path: Path) -> bool:
    """Return whether a file is named like a format that may change pixels."""
    return any(path.suffix.lower() in known.suffixes for known in FORMATS if known.lossy)


def open_stored(
    path: Path, in_memory: int, series: int | None = None
) -> AbstractContextManager[StoredImage]:
    """Open a file of any format, or a Zarr folder."""
    if ome_zarr.is_zarr(path):
        return ome_zarr.open_zarr(path, in_memory, series)
    if path.exists() and not path.is_file():  # opening a pipe may never end
        raise ValueError("neither a file nor a Zarr folder")
    with path.open("rb") as file:
        start = file.read(8)
    for known in FORMATS:
        if start.startswith(known.signatures):
            return known.open(path, in_memory, series)
    raise ValueError(f"neither {' nor '.join(known.name for known in FORMATS)}")
