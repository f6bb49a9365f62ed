"""Results in the formats of the challenges.

ISBI 2012 EM (doi:10.3389/fnana.2015.00142): one stack of 32-bit floats, 0 for membrane, 1 for
inside. Cell Tracking Challenge (celltrackingchallenge.net): ``01_RES/mask000.tif``, 16 bit, and
``res_track.txt``.
"""

import logging
import re
from pathlib import Path

import numpy as np
import tifffile

from unet_exp.datasets.pairing import stem
from unet_exp.files import replacing
from unet_exp.prediction.segmented import Segmented
from unet_exp.prediction.tracks import MOST, RULES, TRACKERS, write_mask

logger = logging.getLogger(__name__)


class IsbiWriter:
    """Writes all pages of all images to one stack, ``submission.tif``."""

    together = True

    def __init__(self, output: Path) -> None:
        self.stack = output / "submission.tif"
        self.pages: dict[Path, list[np.ndarray]] = {}

    def files(self, path: Path) -> list[Path]:
        """Return the stack, which holds every image."""
        return [self.stack]

    def write(self, path: Path, found: Segmented) -> None:
        """Keep an image's probabilities until the stack is written.

        Raises ValueError for more than two classes or pages of different sizes.
        """
        pages = [np.asarray(page[...], np.float32) for page in found.probabilities]
        first = next(iter(self.pages.values()), pages)[0]
        for page in pages:
            if page.ndim > 2 or page.shape != first.shape:
                raise ValueError(
                    f"{path} gives probabilities of {' x '.join(map(str, page.shape))}, but all "
                    f"pages of the challenge's stack have one size, here "
                    f"{' x '.join(map(str, first.shape))}. Leave this image out."
                )
        self.pages[path] = pages

    def finish(self, paths: list[Path]) -> list[Path]:
        """Write the stack, with the images in the order of ``paths``."""
        pages = [page for path in paths for page in self.pages.get(path, [])]
        if not pages:
            return []
        with replacing(self.stack) as part:
            tifffile.imwrite(part, np.stack(pages), photometric="minisblack")
        return [self.stack]


class CellTrackingWriter:
    """Writes ``01_RES/mask000.tif`` for ``01/t000.tif``, or for each page of ``01.tif``."""

    together = False

    def __init__(self, output: Path, track: str = "overlap") -> None:
        self.output, self.track = output, track

    def sequence(self, path: Path) -> tuple[Path, str | None]:
        """Return the folder of an image's sequence, and the frame number in the image's name."""
        number = re.fullmatch(r"(?:.*\D)?(\d{3,4})", stem(path))
        name = path.absolute().parent.name if number else stem(path)
        return self.output / f"{name}_RES", number[1] if number else None

    def files(self, path: Path) -> list[Path]:
        """Return the mask of a frame, or the first mask of a stack."""
        folder, number = self.sequence(path)
        return [folder / f"mask{number or '000'}.tif"]

    def write(self, path: Path, found: Segmented) -> None:
        """Write the mask of a frame, or the masks of a stack, the first one last.

        Raises ValueError if there are more objects than 16 bits can number.
        """
        if found.largest_label > MOST:
            raise ValueError(
                f"{path} has {found.largest_label} objects, and the challenge's format allows "
                f"{MOST}. Raise postprocessing.min_size."
            )
        folder, number = self.sequence(path)
        count = len(found.instances)
        if number and count > 1:
            raise ValueError(
                f"{path} has {count} pages, but its name is that of a single frame. Give it a name "
                "that does not end in three or four digits."
            )
        digits = 3 if count <= 1000 else 4
        names = [f"mask{number or f'{i:0{digits}d}'}.tif" for i in range(count)]
        for name, page in reversed([*zip(names, found.instances, strict=True)]):
            write_mask(folder / name, np.asarray(page[...]))
        if number is None:  # remove the frames of an earlier, longer stack
            for mask in folder.glob("mask*.tif"):
                if mask.name not in names:
                    mask.unlink()

    def finish(self, paths: list[Path]) -> list[Path]:
        """Track the cells of each sequence over time, and write ``res_track.txt``.

        Raises ValueError that names the sequences with too many cells, after writing all others.
        """
        folders = dict.fromkeys(self.sequence(path)[0] for path in paths)
        logger.info("%s", RULES[self.track])
        errors = []
        for folder in folders:
            try:
                TRACKERS[self.track](sorted(folder.glob("mask*.tif")))
            except ValueError as error:
                errors.append(str(error))
        if errors:
            raise ValueError(" ".join(errors))
        return list(folders)
