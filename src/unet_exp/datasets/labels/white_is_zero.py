"""Label files in which 0 is white by their tag: one decision for all files of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from unet_exp.datasets.labels.kinds import TOPS
from unet_exp.datasets.labels.numbering import places
from unet_exp.images.display import Display, opposite_option, require_min_is_white, warn_once
from unet_exp.images.image_file import open_whole

Stack = Shaped[np.ndarray, "n c h w"]


@dataclass(frozen=True)
class Stored:
    """The numbers that a label file holds, and how it says that they are shown."""

    path: Path
    stack: Stack
    display: Display

    @property
    def white(self) -> int | float:
        """The number that stands for the brightest shade; NaN where fractions have none."""
        if self.stack.dtype.kind == "i":
            return int(np.iinfo(self.stack.dtype).max)
        return 2**self.display.white_bits - 1 if self.stack.dtype.kind == "u" else float("nan")

    def values(self) -> set[int | float]:
        """List the numbers from 0 on; negative ones are unknown, and colours are none."""
        if self.stack.shape[1] != 1:
            return set()
        found, _ = places(self.stack.reshape(-1, self.stack.shape[-1]))
        return set(found[found >= 0].tolist())


def read_stored(path: Path, pages: int | None = None) -> Stored:
    """Read the numbers of a label file as they are stored, turned as they are shown."""
    with open_whole(path, None, pages, "keep") as opened:
        return Stored(path, opened.stack(), opened.display)


class WhiteZeros:
    """Read the label files of a data set in which 0 is white, all of them in the same way.

    "keep" takes numbers as stored, and so does "auto" those of ImageJ and of numpy's bools, see
    `display.Display.keeps`. Of all others, looking at all label files together:

    - Masks of two values, such as 0 and 255: inside and outside are exchanged.
    - Shades that hold white but no 0, such as 255 and 254: they are inverted, so that white
      becomes 0, the background. With "invert", so are shades that hold both.
    - Others number instances or classes: "auto" keeps them, "invert" is refused.
    """

    def __init__(self, min_is_white: str = "auto") -> None:
        require_min_is_white(min_is_white)
        self.min_is_white = min_is_white
        self.way = ""
        self._values: set[int | float] = set()
        self._two = True

    def read(self, files: Sequence[Stored]) -> list[Stack]:
        """Return what is meant by the numbers of some files, and log what was decided.

        Raises
        ------
        ValueError
            They cannot be inverted, or contradict those that were read before.
        """
        affected = [f for f in files if f.display.white_bits and not self._keeps(f.display)]
        if affected:
            self._decide(files, affected)
        return [self._read(file, file in affected) for file in files]

    def _keeps(self, display: Display) -> bool:
        return self.min_is_white == "keep" or (
            self.min_is_white == "auto" and display.keeps_numbers
        )

    def _decide(self, files: Sequence[Stored], affected: Sequence[Stored]) -> None:
        each = [file.values() for file in files]
        self._values.update(*each)
        self._two = self._two and all(len(values) <= 2 for values in each)
        values, shades = self._values, bool(self._values & {file.white for file in affected})
        marks = values - {0}
        masks = self._two and (len(values) <= 2 or marks <= {1, *TOPS})
        if masks and (0 in values or len(values) == 1):
            way = "exchanged"
        elif shades and (0 not in values or self.min_is_white == "invert"):
            way = "inverted"
        elif self.min_is_white == "auto":
            way = "kept"
        else:
            raise ValueError(
                f"labels in which 0 is white, such as {affected[0].path}, cannot be inverted: they "
                f"hold {len(values)} numbers up to {max(values):g}, none of which is white "
                f"({affected[0].white}) and would become the background. They number instances or "
                "classes: take dataset.min_is_white=keep"
            )
        if self.way not in ("", way):
            raise ValueError(
                f"labels in which 0 is white, such as {affected[0].path}, would be {way}, and "
                f"those that were read before are {self.way}. Say how all are read, by "
                "dataset.min_is_white=invert or dataset.min_is_white=keep"
            )
        self.way = way

    def _read(self, file: Stored, affected: bool) -> Stack:
        if not file.display.white_bits:
            return file.stack
        way, why = (self.way, "") if affected else ("kept", "")
        advice = f" To read them otherwise, set {opposite_option(way != 'kept')}."
        if not affected and self.min_is_white == "auto":
            why = f", as {file.display.writer} means them"
        elif affected and way == "kept":
            why, advice = ", since they are numbers rather than shades of a mask", ""
        said = {
            "exchanged": "inside and outside are exchanged",
            "inverted": "they are inverted, so that white is the background",
            "kept": "they are read as stored",
        }[way]
        warn_once(
            file.path,
            f"labels in which 0 is white by the tag of their file: {said}{why}.{advice}",
        )
        return {"exchanged": self._exchanged, "inverted": inverted}.get(way, _stack)(file)

    def _exchanged(self, file: Stored) -> Stack:
        """Exchange 0 and the number that marks the inside in this file, or else in the others."""
        top = file.stack.max(initial=0) or max(self._values, default=0)
        if not top:
            top = 1 if file.stack.dtype.kind == "f" else file.white
        if file.stack.dtype.kind in "iu":
            top = min(top, np.iinfo(file.stack.dtype).max)
        inside = file.stack.dtype.type(top)
        return np.where(file.stack == 0, inside, np.minimum(file.stack, file.stack.dtype.type(0)))


def inverted(file: Stored) -> Stack:
    """Invert shades, but what is negative, which is unknown.

    >>> stack = np.array([[[[255, 254, 0]]]], np.uint8)
    >>> inverted(Stored(Path("a.tif"), stack, Display(white_bits=8))).ravel().tolist()
    [0, 1, 255]
    """
    white = file.stack.dtype.type(file.white)
    return np.where(file.stack < 0, file.stack, white - file.stack)


def _stack(file: Stored) -> Stack:
    return file.stack
