"""What predict.py leaves of each image: files of the image's name and kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from unet_exp.datasets.pairing import stem
from unet_exp.images.ome_zarr import is_zarr
from unet_exp.prediction.segment import Segmented
from unet_exp.prediction.tiff_results import write_tiff
from unet_exp.prediction.zarr_results import write_zarr

PROBABILITIES = ("float32", "uint8", "none")


class ResultWriter(Protocol):
    """A way to write results."""

    together: bool
    """Whether all images stand in one file, so that one more means all anew."""

    def files(self, path: Path) -> list[Path]:
        """Name what will be there when an image is done."""
        ...

    def write(self, path: Path, found: Segmented) -> None:
        """Write what was found in an image."""
        ...

    def finish(self, paths: list[Path]) -> list[Path]:
        """Write what all images have in common, given those that are done, and name it."""
        ...


class PerImageWriter:
    """``NAME_probabilities``, ``NAME_instances``, and ``NAME_classes`` where there are several.

    Parameters
    ----------
    kind
        "tiff", "zarr" (OME-Zarr), or "auto": OME-Zarr of OME-Zarr, else TIFF.
    probabilities
        Their type, "float32" or "uint8" (255 for 1), or "none".
    classes
        Whether the networks tell more than two classes apart.
    """

    together = False

    def __init__(self, output: Path, kind: str, probabilities: str, classes: bool) -> None:
        if probabilities not in PROBABILITIES:
            raise ValueError(
                f"probabilities={probabilities} is not known. Choose one of "
                f"{', '.join(PROBABILITIES)}."
            )
        self.output, self.kind, self.probabilities = output, kind, probabilities
        self.classes = classes

    def files(self, path: Path) -> list[Path]:
        """Name the files of an image, the instances last."""
        chosen = [
            *(["probabilities"] if self.probabilities != "none" else []),
            *(["classes"] if self.classes else []),
            "instances",
        ]
        return [self.output / f"{stem(path)}_{kind}{self.ending(path)}" for kind in chosen]

    def ending(self, path: Path) -> str:
        """Return the ending of an image's results."""
        if self.kind == "zarr" or (self.kind == "auto" and is_zarr(path)):
            return ".zarr"
        return ".ome.tif" if path.name.lower().endswith((".ome.tif", ".ome.tiff")) else ".tif"

    def write(self, path: Path, found: Segmented) -> None:
        """Write the files of an image."""
        files = self.files(path)
        if self.probabilities == "uint8":
            pages = [Seen(page, as_bytes) for page in found.probabilities]
            self.save(files[0], pages, "uint8", found)
        elif self.probabilities == "float32":
            self.save(files[0], found.probabilities, "float32", found)
        if found.classes is not None:
            self.save(files[-2], found.classes, "uint8", found)
        narrow = "uint16" if found.largest <= np.iinfo(np.uint16).max else "uint32"
        self.save(files[-1], found.instances, narrow, found, instances=True)

    def save(
        self, path: Path, pages: list[Any], dtype: str, found: Segmented, instances: bool = False
    ) -> None:
        """Write one file."""
        place = found.axes, found.shape, found.tags
        if path.suffix == ".zarr":
            write_zarr(path, pages, dtype, *place, instances=instances)
        else:
            write_tiff(path, pages, dtype, *place)

    def finish(self, paths: list[Path]) -> list[Path]:
        """Images have nothing in common."""
        return []


def as_bytes(probabilities: np.ndarray) -> np.ndarray:
    """Scale probabilities to whole numbers up to 255.

    >>> as_bytes(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 128, 255]
    """
    return np.rint(probabilities * 255).astype(np.uint8)


class Seen:
    """An array through a function of each value, computed where it is read by slices."""

    def __init__(self, array: Any, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.array, self.function, self.shape = array, function, array.shape

    def __getitem__(self, key: Any) -> np.ndarray:
        return self.function(np.asarray(self.array[key]))
