"""Probabilities, classes and instances as TIFF or OME-Zarr."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unet_exp.arrays import MappedArray
from unet_exp.images.ome_zarr import is_zarr
from unet_exp.prediction.lookup_table import LookupTable, table_of_labels
from unet_exp.prediction.segmented import Segmented
from unet_exp.prediction.tiff_results import write_tiff
from unet_exp.prediction.zarr_results import write_zarr


@dataclass(frozen=True)
class ArrayFormat:
    """The format of arrays: "tiff", "zarr" (OME-Zarr), or "auto" (as the image, else TIFF)."""

    kind: str

    def suffix(self, image: Path) -> str:
        """Return the suffix of the results of an image."""
        if self.kind == "zarr" or (self.kind == "auto" and is_zarr(image)):
            return ".zarr"
        is_ome = image.name.lower().endswith((".ome.tif", ".ome.tiff"))
        return ".ome.tif" if is_ome else ".tif"

    def write(
        self,
        file: Path,
        found: Segmented,
        pages: Sequence[Any],
        dtype: str,
        lookup_table: LookupTable | None = None,
    ) -> None:
        """Write pages; instances have a ``lookup_table``."""
        place = found.axes, found.shape, found.tags
        if file.suffix == ".zarr":
            write_zarr(file, pages, dtype, *place, instances=lookup_table is not None)
        else:
            write_tiff(file, pages, dtype, *place, lookup_table)


@dataclass(frozen=True)
class Probabilities:
    """``NAME_probabilities``: the probability of the foreground, or of each of several classes.

    ``dtype`` is "float32", or "uint8", in which 255 means 1.
    """

    format: ArrayFormat
    dtype: str = "float32"

    def ending(self, image: Path) -> str:
        """Return the end of the file's name."""
        return f"_probabilities{self.format.suffix(image)}"

    def write(self, file: Path, found: Segmented) -> None:
        """Write the probabilities of all pages."""
        pages = found.probabilities
        if self.dtype == "uint8":
            pages = [MappedArray(page, read_as_bytes) for page in pages]
        self.format.write(file, found, pages, self.dtype)


def read_as_bytes(probabilities: Any, key: Any) -> np.ndarray:
    """Read probabilities as integers from 0 to 255.

    >>> read_as_bytes(np.array([0.0, 0.5, 1.0]), slice(None)).tolist()
    [0, 128, 255]
    """
    return np.rint(np.asarray(probabilities[key]) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Classes:
    """``NAME_classes``: the most probable class of each pixel, of more than two classes."""

    format: ArrayFormat

    def ending(self, image: Path) -> str:
        """Return the end of the file's name."""
        return f"_classes{self.format.suffix(image)}"

    def write(self, file: Path, found: Segmented) -> None:
        """Write the classes of all pages."""
        self.format.write(file, found, found.classes, "uint8")


@dataclass(frozen=True)
class Instances:
    """``NAME_instances``: the number of the object of each pixel, in 16 or 32 bits.

    In 16 bits, ImageJ and Fiji show the objects in colours.
    """

    format: ArrayFormat

    def ending(self, image: Path) -> str:
        """Return the end of the file's name."""
        return f"_instances{self.format.suffix(image)}"

    def write(self, file: Path, found: Segmented) -> None:
        """Write the instances of all pages."""
        narrow = found.largest_label <= np.iinfo(np.uint16).max
        dtype = "uint16" if narrow else "uint32"
        lookup_table = table_of_labels(found.largest_label)
        self.format.write(file, found, found.instances, dtype, lookup_table)
