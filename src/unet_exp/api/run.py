"""A training that has ended: its folder, its score and its files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unet_exp.records.run_folder import RunFolder


@dataclass(frozen=True)
class Run:
    """The run folder of a training. It can be used in place of the folder's path.

    Attributes
    ----------
    folder
        The run folder, ``outputs/runs/NAME/STAMP``.
    score
        The monitored score of the best checkpoint; NaN if there is none.
    images
        The folder of the images and labels, if they were given as arrays or as a folder.

    >>> import os
    >>> os.fspath(Run(Path("outputs/runs/cells/1"), 0.8))
    'outputs/runs/cells/1'
    """

    folder: Path
    score: float
    images: Path | None = None

    def __fspath__(self) -> str:
        return str(self.folder)

    @property
    def checkpoint(self) -> Path | None:
        """The best checkpoint, else the last one, else None."""
        return RunFolder(self.folder).checkpoint()

    @property
    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``: state, scores, seconds, versions."""
        return RunFolder(self.folder).read_summary()
