"""From the numbers in label files to instances and classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, UInt8

from unet_exp.datasets.label_kinds import (
    KINDS,
    UNKNOWN,
    Labels,
    all_values,
    count_classes,
    infer_kind,
)
from unet_exp.datasets.regions import regions


@dataclass(frozen=True)
class LabelReading:
    """How to read labels: their ``kind``, the number of classes, and a value that is unknown."""

    kind: str
    num_classes: int
    ignore: int | None = None

    @classmethod
    def decide(
        cls,
        pages: Sequence[Labels],
        kind: str = "auto",
        num_classes: int | None = None,
        ignore: int | None = None,
    ) -> "LabelReading":
        """Infer what is not given, and check what is, on all labels there are.

        Raises
        ------
        ValueError
            All labels are empty, or they are neither instances nor classes, or a class is
            beyond ``num_classes``.

        >>> LabelReading.decide([np.array([[0, 1, 2, 1, 2, 1, 255]], np.int32)])
        LabelReading(kind='classes', num_classes=3, ignore=None)
        """
        if kind not in KINDS:
            raise ValueError(
                f"dataset.labels={kind} is not known. Choose one of {', '.join(KINDS)}"
            )
        known = [np.where(page == ignore, np.int32(-1), page) for page in pages]
        if not any((page > 0).any() for page in known):
            raise ValueError(
                f"all {len(pages)} label images are empty: no pixel is above 0. Check that they "
                "are the masks"
            )
        kind = infer_kind(known) if kind == "auto" else kind
        if kind != "classes":
            return cls(kind, num_classes or 2, ignore)
        top = max(v for v in all_values(known) if v != UNKNOWN)
        if top > UNKNOWN:
            raise ValueError(
                f"there are labels of class {top}, and classes go up to {UNKNOWN - 1}. Number "
                "them without gaps, or take dataset.labels=instances"
            )
        if num_classes is not None and top >= num_classes:
            raise ValueError(
                f"there are labels of class {top}, but dataset.num_classes={num_classes}. Set it "
                f"to at least {top + 1}, counting the background"
            )
        return cls(kind, num_classes or count_classes(known), ignore)

    def instances(self, page: Int32[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
        """Return instance numbers, with -1 for what is unknown.

        Instances of "binary" labels, and of each of the "classes" above 0, are the pieces that
        hang together by pixel edges.

        >>> LabelReading("binary", 2).instances(np.array([[255, 0, 255, -9]], np.int32)).tolist()
        [[1, 0, 2, -1]]
        >>> LabelReading("classes", 3).instances(np.array([[1, 2, 0, 255]], np.int32)).tolist()
        [[1, 2, 0, -1]]
        """
        unknown = self._unknown(page)
        if self.kind == "instances":
            numbered = page
        elif self.kind == "binary":
            numbered = regions((page > 0) & ~unknown)
        else:
            numbered = np.zeros(page.shape, np.int32)
            for value in np.unique(page[(page > 0) & ~unknown]):
                pieces = regions(page == value)
                numbered += np.where(pieces > 0, pieces + numbered.max(), 0)
        return np.where(unknown, np.int32(-1), numbered)

    def classes(self, page: Int32[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"] | None:
        """Return the class of each pixel (255 unknown), or None if labels are no classes.

        >>> LabelReading("classes", 3, ignore=9).classes(np.array([[0, 2, -1, 9]], np.int32))
        array([[  0,   2, 255, 255]], dtype=uint8)
        """
        if self.kind != "classes":
            return None
        return np.where(self._unknown(page), UNKNOWN, page).astype(np.uint8)

    def _unknown(self, page: Int32[np.ndarray, "h w"]) -> np.ndarray:
        unknown = page < 0
        if self.kind == "classes":
            unknown |= page == UNKNOWN
        if self.ignore is not None:
            unknown |= page == self.ignore
        return unknown
