"""Label files with a tag that 0 is white: one decision for all files of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from unet_exp.datasets.labels.kinds import WHITES
from unet_exp.datasets.labels.numbering import unique_inverse
from unet_exp.images.display import MIN_IS_WHITE, Display, opposite_option, warn_once
from unet_exp.images.formats import is_lossy
from unet_exp.images.image_file import open_whole
from unet_exp.ranges import require_choice

Stack = Shaped[np.ndarray, "n c h w"]


@dataclass(frozen=True)
class StoredLabels:
    """The numbers that a label file stores, and how they are displayed."""

    path: Path
    stack: Stack
    display: Display

    @property
    def white(self) -> int | float:
        """The number of the brightest shade; NaN for floats, which have no largest shade."""
        if self.stack.dtype.kind == "i":
            return int(np.iinfo(self.stack.dtype).max)
        return 2**self.display.white_bits - 1 if self.stack.dtype.kind == "u" else float("nan")

    def values(self) -> set[int | float]:
        """Return the numbers that are not negative (unknown); none for colours."""
        if self.stack.shape[1] != 1:
            return set()
        values, _ = unique_inverse(self.stack.reshape(-1, self.stack.shape[-1]))
        return set(values[values >= 0].tolist())


def read_stored(path: Path) -> StoredLabels:
    """Read the stored numbers of a label file, in the displayed orientation.

    Raises ValueError like `open_whole`, and for formats that may change numbers.
    """
    if is_lossy(path):
        raise ValueError(
            f"{path} is of a format that may change the numbers of labels. Save labels as PNG or "
            "TIFF."
        )
    with open_whole(path, min_is_white="keep") as file:
        return StoredLabels(path, file.stack(), file.display)


class WhiteIsZero:
    """Read all label files of a data set in which 0 is white in the same way.

    "keep" reads the stored numbers. "auto" does so for files with `Display.keeps_numbers`. For
    other files in which 0 is white, the decision depends on all label files together:

    - Masks of two values, such as 0 and 255: inside and outside are exchanged.
    - Shades with white but without 0, such as 255 and 254: they are inverted, so white becomes 0,
      the background. With "invert", shades with white and 0 are inverted, too.
    - Other numbers are instances or classes: "auto" keeps them, "invert" is refused.
    """

    def __init__(self, min_is_white: str = "auto") -> None:
        require_choice("dataset.min_is_white", min_is_white, MIN_IS_WHITE)
        self.min_is_white = min_is_white
        self._way = ""
        self._values: set[int | float] = set()
        self._all_masks = True

    def read(self, files: Sequence[StoredLabels]) -> list[Stack]:
        """Return the numbers of each file, and log the decision."""
        affected = [file for file in files if self._is_affected(file)]
        if affected:
            self._decide(files, affected)
        return [self._read(file) for file in files]

    def _is_affected(self, file: StoredLabels) -> bool:
        """Return whether the tag of a file is taken into account."""
        if not file.display.white_bits or self.min_is_white == "keep":
            return False
        return self.min_is_white == "invert" or not file.display.keeps_numbers

    def _decide(self, files: Sequence[StoredLabels], affected: Sequence[StoredLabels]) -> None:
        """Decide how affected files are read, from these and all files that were read before."""
        values_of_files = [file.values() for file in files]
        self._values.update(*values_of_files)
        self._all_masks = self._all_masks and all(len(values) <= 2 for values in values_of_files)
        values = self._values
        are_shades = bool(values & {file.white for file in affected})
        are_masks = self._all_masks and (len(values) <= 2 or values <= {0, 1, *WHITES})
        if are_masks and (0 in values or len(values) == 1):
            way = "exchanged"
        elif are_shades and (0 not in values or self.min_is_white == "invert"):
            way = "inverted"
        elif self.min_is_white == "auto":
            way = "kept"
        else:
            raise ValueError(
                f"labels in which 0 is white, such as {affected[0].path}, cannot be inverted: they "
                f"hold {len(values)} numbers up to {max(values):g}, but not white "
                f"({affected[0].white}), which would become the background. They are instances or "
                "classes: take dataset.min_is_white=keep"
            )
        if self._way not in ("", way):
            raise ValueError(
                f"labels in which 0 is white, such as {affected[0].path}, would be {way}, and "
                f"those that were read before are {self._way}. Say how all are read, by "
                "dataset.min_is_white=invert or dataset.min_is_white=keep"
            )
        self._way = way

    def _read(self, file: StoredLabels) -> Stack:
        if not file.display.white_bits:
            return file.stack
        affected = self._is_affected(file)
        way = self._way if affected else "kept"
        advice = f" To read them otherwise, set {opposite_option(way != 'kept')}."
        why = ""
        if not affected and self.min_is_white == "auto":
            why = f", as {file.display.writer} means them"
        elif affected and way == "kept":
            why, advice = ", since they are numbers rather than shades of a mask", ""
        result = {
            "exchanged": "inside and outside are exchanged",
            "inverted": "they are inverted, so that white is the background",
            "kept": "they are read as stored",
        }[way]
        warn_once(
            file.path,
            f"labels in which 0 is white by the tag of their file: {result}{why}.{advice}",
        )
        if way == "kept":
            return file.stack
        return inverted_shades(file) if way == "inverted" else self._exchanged(file)

    def _exchanged(self, file: StoredLabels) -> Stack:
        """Exchange 0 and the number of the inside, which is found in this file or the others."""
        dtype = file.stack.dtype
        inside = file.stack.max(initial=0) or max(self._values, default=0)
        inside = inside or (1 if dtype.kind == "f" else file.white)
        if dtype.kind in "iu":
            inside = min(inside, np.iinfo(dtype).max)
        outside = np.minimum(file.stack, dtype.type(0))  # negative numbers mean unknown and remain
        return np.where(file.stack == 0, dtype.type(inside), outside)


def inverted_shades(file: StoredLabels) -> Stack:
    """Invert shades, but not negative numbers, which mean unknown.

    >>> stack = np.array([[[[255, 254, 0]]]], np.uint8)
    >>> inverted_shades(StoredLabels(Path("a.tif"), stack, Display(white_bits=8))).ravel().tolist()
    [0, 1, 255]
    """
    white = file.stack.dtype.type(file.white)
    return np.where(file.stack < 0, file.stack, white - file.stack)
