"""The interface of outputs."""

from pathlib import Path
from typing import Protocol

from unet_exp.prediction.segmented import Segmented


class Output(Protocol):
    """Writes one file, or one OME-Zarr folder, for each image."""

    def ending(self, image: Path) -> str:
        """Return the text after the image's stem in the name of its result: "_rois.zip"."""
        ...

    def write(self, file: Path, found: Segmented) -> None:
        """Write the results of an image to ``file``, atomically."""
        ...
