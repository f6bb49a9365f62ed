"""The result files of an image: their names, format and type."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from unet_exp.arrays import MappedArray
from unet_exp.datasets.pairing import stem
from unet_exp.images.ome_zarr import is_zarr
from unet_exp.prediction.segment import Segmented
from unet_exp.prediction.tiff_results import write_tiff
from unet_exp.prediction.zarr_results import write_zarr
from unet_exp.ranges import require_choice

PROBABILITIES = ("float32", "uint8", "none")


class ResultWriter(Protocol):
    """Writes the results of images in one format."""

    together: bool
    """Whether one file holds the results of all images."""

    def files(self, path: Path) -> list[Path]:
        """Return the result files of an image."""
        ...

    def write(self, path: Path, found: Segmented) -> None:
        """Write the results of an image."""
        ...

    def finish(self, paths: list[Path]) -> list[Path]:
        """Write the files that depend on all images, and return them."""
        ...


class PerImageWriter:
    """Writes ``NAME_probabilities``, ``NAME_instances`` and, of several classes, ``NAME_classes``.

    Parameters
    ----------
    kind
        "tiff", "zarr" (OME-Zarr), or "auto": the kind of the image, else TIFF.
    probabilities
        "float32", "uint8" (255 means 1) or "none".
    classes
        Whether the network has more than two classes.
    """

    together = False

    def __init__(self, output: Path, kind: str, probabilities: str, classes: bool) -> None:
        require_choice("probabilities", probabilities, PROBABILITIES)
        self.output, self.kind, self.probabilities = output, kind, probabilities
        self.names = [
            *(["probabilities"] if probabilities != "none" else []),
            *(["classes"] if classes else []),
            "instances",
        ]

    def files(self, path: Path) -> list[Path]:
        """Return the files of an image, the instances last."""
        if self.kind == "zarr" or (self.kind == "auto" and is_zarr(path)):
            suffix = ".zarr"
        else:
            ome = path.name.lower().endswith((".ome.tif", ".ome.tiff"))
            suffix = ".ome.tif" if ome else ".tif"
        return [self.output / f"{stem(path)}_{name}{suffix}" for name in self.names]

    def write(self, path: Path, found: Segmented) -> None:
        """Write the files of an image."""
        narrow = found.largest_label <= np.iinfo(np.uint16).max
        contents = {
            "probabilities": (found.probabilities, "float32"),
            "classes": (found.classes, "uint8"),
            "instances": (found.instances, "uint16" if narrow else "uint32"),
        }
        if self.probabilities == "uint8":
            pages = [MappedArray(page, read_as_bytes) for page in found.probabilities]
            contents["probabilities"] = (pages, "uint8")
        for name, file in zip(self.names, self.files(path), strict=True):
            pages, dtype = contents[name]
            axes = found.axes, found.shape, found.tags
            if file.suffix == ".zarr":
                write_zarr(file, pages, dtype, *axes, instances=name == "instances")
            else:
                write_tiff(file, pages, dtype, *axes)

    def finish(self, paths: list[Path]) -> list[Path]:
        """Return no files: each image has its own."""
        return []


def read_as_bytes(probabilities: Any, key: Any) -> np.ndarray:
    """Read probabilities as integers from 0 to 255.

    >>> read_as_bytes(np.array([0.0, 0.5, 1.0]), slice(None)).tolist()
    [0, 128, 255]
    """
    return np.rint(np.asarray(probabilities[key]) * 255).astype(np.uint8)
