"""Writers of the result files of images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from unet_exp.datasets.pairing import stem
from unet_exp.prediction.outputs.output import Output
from unet_exp.prediction.segmented import Segmented


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
    """Writes a file for each image and output.

    >>> from unet_exp.prediction.outputs.choices import chosen_outputs
    >>> writer = PerImageWriter(Path("out"), chosen_outputs(["instances", "table"]))
    >>> [file.name for file in writer.files(Path("a.png"))]
    ['a_objects.csv', 'a_instances.tif']
    """

    together = False

    def __init__(self, output: Path, outputs: Sequence[Output]) -> None:
        self.output, self.outputs = output, outputs

    def files(self, path: Path) -> list[Path]:
        """Return the files of an image, in the order of the outputs."""
        return [self.output / f"{stem(path)}{one.ending(path)}" for one in self.outputs]

    def write(self, path: Path, found: Segmented) -> None:
        """Write the files of an image."""
        for one, file in zip(self.outputs, self.files(path), strict=True):
            one.write(file, found)

    def finish(self, paths: list[Path]) -> list[Path]:
        """Return no files: each image has its own."""
        return []
