"""From the numbers in label files to instances and classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, UInt8

from unet_exp.datasets.labels.kinds import KINDS, all_values, count_classes, infer_kind, named
from unet_exp.datasets.labels.numbering import Numbers, renumbered
from unet_exp.datasets.labels.summary import UNKNOWN, Seen
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
        images: Sequence[Seen],
        kind: str = "auto",
        num_classes: int | None = None,
        ignore: int | None = None,
    ) -> "LabelReading":
        """Infer what is not given, and check what is, on all label images there are.

        Raises
        ------
        ValueError
            All are empty, or they are neither instances nor classes, or some contradict others,
            or a class is beyond ``num_classes``; the message names them.

        >>> LabelReading.decide([Seen.of("a.png", np.array([[0, 1, 2, 1, 2, 1, 255]]))])
        LabelReading(kind='classes', num_classes=3, ignore=None)
        """
        if kind not in KINDS:
            raise ValueError(
                f"dataset.labels={kind} is not known. Choose one of {', '.join(KINDS)}"
            )
        if not any(image.values for image in images):
            raise ValueError(
                f"all {len(images)} label images are empty: no pixel is above 0. Check that they "
                "are the masks"
            )
        if kind == "auto":
            # Nothing but classes has more than two of them.
            kind = "classes" if num_classes is not None and num_classes > 2 else infer_kind(images)
        if kind != "classes":
            return cls(kind, num_classes or 2, ignore)
        classes = [v for v in all_values(images) if v != UNKNOWN]
        if not classes:
            raise ValueError(
                "all label images hold 0 and 255 alone, and 255 is no class but means unknown. "
                "If they are masks, take dataset.labels=binary"
            )
        top = classes[-1]
        where = named([image for image in images if top in image.values])
        if top > UNKNOWN:
            raise ValueError(
                f"there are labels of class {top} ({where}), and classes go up to {UNKNOWN - 1}. "
                "Number them without gaps, or take dataset.labels=instances"
            )
        if num_classes is not None and top >= num_classes:
            raise ValueError(
                f"there are labels of class {top} ({where}), but dataset.num_classes="
                f"{num_classes}. Set it to at least {top + 1}, counting the background; if the "
                "labels number instances, take dataset.labels=instances"
            )
        return cls(kind, num_classes or count_classes(images), ignore)

    def instances(
        self, page: Numbers, missing: Bool[np.ndarray, "_ _"] | None = None
    ) -> Int32[np.ndarray, "_ _"]:
        """Return instance numbers, with -1 for what is unknown, or ``missing`` in the image.

        Instances of "binary" labels, and of each of the "classes" above 0, are the pieces that
        hang together by pixel edges. Other instances keep their numbers, as far as
        `unet_exp.datasets.labels.numbering.renumbered` does.

        >>> LabelReading("binary", 2).instances(np.array([[255, 0, 255, -9]])).tolist()
        [[1, 0, 2, -1]]
        >>> LabelReading("classes", 3).instances(np.array([[1, 2, 0, 255]])).tolist()
        [[1, 2, 0, -1]]
        """
        unknown = self._unknown(page, missing)
        if self.kind == "instances":
            numbered = renumbered(page)
        elif self.kind == "binary":
            numbered = regions((page > 0) & ~unknown)
        else:
            numbered = np.zeros(page.shape, np.int32)
            for value in np.unique(page[(page > 0) & ~unknown]):
                pieces = regions(page == value)
                numbered += np.where(pieces > 0, pieces + numbered.max(), 0)
        return np.where(unknown, np.int32(-1), numbered)

    def classes(
        self, page: Numbers, missing: Bool[np.ndarray, "_ _"] | None = None
    ) -> UInt8[np.ndarray, "_ _"] | None:
        """Return the class of each pixel (255 unknown), or None if labels are no classes.

        >>> LabelReading("classes", 3, ignore=9).classes(np.array([[0, 2, -1, 9]]))
        array([[  0,   2, 255, 255]], dtype=uint8)
        """
        if self.kind != "classes":
            return None
        return np.where(self._unknown(page, missing), UNKNOWN, page).astype(np.uint8)

    def _unknown(
        self, page: Numbers, missing: Bool[np.ndarray, "_ _"] | None
    ) -> Bool[np.ndarray, "_ _"]:
        unknown = page < 0 if missing is None else (page < 0) | missing
        if self.kind == "classes":
            unknown |= page == UNKNOWN
        if self.ignore is not None:
            unknown |= page == self.ignore
        return unknown
