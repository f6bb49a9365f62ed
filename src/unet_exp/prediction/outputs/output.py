"""The interface of outputs."""

from pathlib import Path
from typing import Protocol

from unet_exp.prediction.segmented import Segmented


class Output(Protocol):
    """Writes one file, or one OME-Zarr folder, for each image."""

    def ending(self, image: Path) -> str:
        """Return what follows the image's stem in the name of its result, such as "_rois.zip"."""
        ...

    def write(self, file: Path, found: Segmented) -> None:
        """Write the results of an image to ``file``, atomically."""
        ...
