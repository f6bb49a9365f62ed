"""Decode the numbers of label images into instances and classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, UInt8

from unet_exp.connectivity import label_components
from unet_exp.datasets.labels.kinds import KINDS, all_values, count_classes, infer_kind, names
from unet_exp.datasets.labels.numbering import Numbers, renumber
from unet_exp.datasets.labels.summary import UNKNOWN, LabelSummary

Mask = Bool[np.ndarray, "_ _"]


@dataclass(frozen=True)
class LabelDecoder:
    """Decode the numbers of label images.

    Attributes
    ----------
    kind
        "instances", "binary" or "classes".
    ignore
        A number that means unknown, in addition to negative numbers and to 255 among classes.
    """

    kind: str
    num_classes: int
    ignore: int | None = None

    @classmethod
    def decide(
        cls,
        images: Sequence[LabelSummary],
        kind: str = "auto",
        num_classes: int | None = None,
        ignore: int | None = None,
    ) -> "LabelDecoder":
        """Infer the values that are not given from all label images, and check the others.

        Raises ValueError that names the images if all are empty, if they are neither instances nor
        classes, contradict each other, or hold a class beyond ``num_classes``.

        >>> LabelDecoder.decide([LabelSummary.of("a.png", np.array([[0, 1, 2, 1, 2, 1, 255]]))])
        LabelDecoder(kind='classes', num_classes=3, ignore=None)
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
            # Instances and binary labels have two classes.
            kind = "classes" if num_classes is not None and num_classes > 2 else infer_kind(images)
        if kind != "classes":
            return cls(kind, num_classes or 2, ignore)
        classes = [value for value in all_values(images) if value != UNKNOWN]
        if not classes:
            raise ValueError(
                "all label images hold only 0 and 255, and 255 is no class but means unknown. If "
                "they are masks, take dataset.labels=binary"
            )
        top = classes[-1]
        where = names([image for image in images if top in image.values])
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

    def instances(self, page: Numbers, missing: Mask | None = None) -> Int32[np.ndarray, "_ _"]:
        """Return instance numbers; -1 where labels are unknown or the image is ``missing``.

        The instances of binary labels, and of each class above 0, are 4-connected pieces. Other
        instances are renumbered by `numbering.renumber`.

        >>> LabelDecoder("binary", 2).instances(np.array([[255, 0, 255, -9]])).tolist()
        [[1, 0, 2, -1]]
        >>> LabelDecoder("classes", 3).instances(np.array([[1, 2, 0, 255]])).tolist()
        [[1, 2, 0, -1]]
        """
        unknown = self._unknown(page, missing)
        if self.kind == "instances":
            return np.where(unknown, np.int32(-1), renumber(page))
        inside = (page > 0) & ~unknown
        if self.kind == "binary":
            return np.where(unknown, np.int32(-1), label_components(inside))
        numbered = np.zeros(page.shape, np.int32)
        for value in np.unique(page[inside]):
            of_class = label_components(page == value)
            numbered += np.where(of_class > 0, of_class + numbered.max(), 0)
        return np.where(unknown, np.int32(-1), numbered)

    def classes(
        self, page: Numbers, missing: Mask | None = None
    ) -> UInt8[np.ndarray, "_ _"] | None:
        """Return the class of each pixel (255 unknown); None if labels are not classes.

        >>> LabelDecoder("classes", 3, ignore=9).classes(np.array([[0, 2, -1, 9]]))
        array([[  0,   2, 255, 255]], dtype=uint8)
        """
        if self.kind != "classes":
            return None
        return np.where(self._unknown(page, missing), UNKNOWN, page).astype(np.uint8)

    def _unknown(self, page: Numbers, missing: Mask | None) -> Mask:
        unknown = page < 0 if missing is None else (page < 0) | missing
        if self.kind == "classes":
            unknown |= page == UNKNOWN
        if self.ignore is not None:
            unknown |= page == self.ignore
        return unknown
