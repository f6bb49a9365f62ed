"""Infer what the numbers in label images mean: instances, a binary mask, or classes."""

from collections.abc import Sequence

import numpy as np

from unet_exp.datasets.labels.summary import LAST_CLASS, UNKNOWN, LabelSummary

KINDS = ("auto", "instances", "binary", "classes")
WHITES = (255, 2**16 - 1, 2**32 - 1, 2**64 - 1)
"""Numbers besides 1 that programs write in masks: the largest of each type."""
NEAR_WHITE = (*range(200, 256), *range(51_200, 2**16))
"""Largest numbers in smoothed masks."""
REMEDY = (
    "Convert them to one kind, or set the kind of all: dataset.labels=instances, "
    "dataset.labels=binary or dataset.labels=classes"
)


def infer_kind(images: Sequence[LabelSummary]) -> str:
    """Return the kind of labels: "binary", "instances" or "classes".

    An image whose numbers are scattered does not number instances. An image with three or more
    numbers, four fifths of which form a single piece each, numbers instances. Any other image may
    be of either kind. These rules apply to all images together:

    1. Each image has a single number besides 0, such as 1 or 255: binary. If the numbers of
       different images are 1, 2, ..., they may be classes, and are refused.
    2. Some images number instances, and the others may be of either kind: instances.
    3. Some images do not number instances, and the others may be of either kind: classes, if fewer
       than four fifths of all numbers form a single piece each, and if the numbers are 0, 1, ...
       without gaps up to at most 31; 255 means unknown.
    4. All images may be of either kind: instances, if four fifths of all numbers form a single
    piece
       each; otherwise classes as in rule 3.

    Raises ValueError that names the images and asks for `dataset.labels` if images contradict each
    other or are ambiguous.

    >>> def kind(*images):
    ...     return infer_kind([LabelSummary.of("a.png", np.array(image)) for image in images])
    >>> kind([[0, 255], [0, 0]], [[1, 0], [1, 1]])
    'binary'
    >>> kind([[1, 1, 0, 2], [0, 0, 0, 2]])
    'instances'
    >>> kind([[1, 2, 1, 2, 1]])
    'classes'
    """
    drawn = [image for image in images if image.values]
    _refuse_smoothed(drawn)
    if all(len(image.values) == 1 for image in drawn):
        _refuse_numbered_masks(drawn)
        return "binary"
    several = [image for image in drawn if len(image.values) > 1]
    scattered = [image for image in drawn if image.is_scattered]
    objects = [image for image in drawn if image.numbers_objects]
    if scattered and all(len(image.values) == 1 for image in scattered):
        raise ValueError(
            f"labels differ in kind: there are masks of inside and outside, as {names(scattered)} "
            f"({_numbers(scattered)}), and several numbers, as in {names(several)} "
            f"({_numbers(several)}). {REMEDY}"
        )
    if scattered and objects:
        raise ValueError(
            "labels differ in kind: there are numbered objects, each in one piece, as in "
            f"{names(objects)} ({_numbers(objects)}), and numbers in many pieces, like classes, as "
            f"in {names(scattered)} ({_numbers(scattered)}). {REMEDY}"
        )
    share = float(np.mean([n == 1 for image in several for n in image.pieces]))
    if not scattered:
        _refuse_doubtful_unknown(drawn)
        if objects or share >= 0.8:
            return "instances"
    elif share >= 0.8 and (others := [image for image in several if not image.is_scattered]):
        raise ValueError(
            "labels differ in kind: most numbers form one piece, like those of instances, as in "
            f"{names(others)}, but not in {names(scattered)}. {REMEDY}"
        )
    _require_classes(drawn, scattered, share)
    return "classes"


def _refuse_smoothed(images: list[LabelSummary]) -> None:
    """Refuse masks with smoothed edges, and images of grey values."""
    if blurred := [i for i in images if i.is_blurred and i.values[-1] in NEAR_WHITE]:
        top = blurred[0].values[-1]
        raise ValueError(
            f"{names(blurred)} hold shades between 0 and {top}, like masks that were resized or "
            f"saved as JPEG. Threshold them, for instance at {top // 2}, and save them as PNG or "
            "TIFF. If they number objects, set dataset.labels=instances"
        )
    if grainy := [image for image in images if image.is_grainy]:
        raise ValueError(
            f"most numbers in {names(grainy)} are those of a single pixel, like grey values. Check "
            "that they are label images, and threshold masks that were resized or saved as JPEG. "
            "If they number objects, set dataset.labels=instances"
        )


def _refuse_numbered_masks(images: list[LabelSummary]) -> None:
    """Refuse images that have one number each, if the numbers of all images are 1, 2, ..."""
    numbers = [v for v in all_values(images) if v not in WHITES]
    if len(numbers) > 1 and numbers == list(range(1, len(numbers) + 1)):
        examples = [next(i for i in images if i.values == (v,)) for v in numbers[:5]]
        each = ", ".join(f"{image.name} {image.values[0]}" for image in examples)
        raise ValueError(
            f"each label image holds a single number besides 0, but not all the same ({each}): "
            "they may be classes, numbers of objects, or masks. Set dataset.labels=classes, "
            "dataset.labels=instances or dataset.labels=binary"
        )


def _refuse_doubtful_unknown(images: list[LabelSummary]) -> None:
    """Refuse 255 if it is far above all other numbers, because it may mean unknown."""
    values = all_values(images)
    beside = [image for image in images if len(image.values) > 1 and UNKNOWN in image.values]
    if beside and values[-1] == UNKNOWN and values[-2] <= 0.6 * UNKNOWN:
        raise ValueError(
            f"255 occurs besides numbers up to {values[-2]} in {names(beside)}, and may mean "
            "unknown. If it does, set dataset.ignore=255; if it is an instance, "
            "dataset.labels=instances; if the labels are classes, dataset.labels=classes"
        )


def _require_classes(
    images: list[LabelSummary], scattered: list[LabelSummary], share: float
) -> None:
    """Refuse numbers that are not classes, and 255 if it may be a mask instead of unknown."""
    values = _without_unknown(images)
    if not _are_classes(values):
        several = [image for image in scattered if len(image.values) > 1]
        known = _without_unknown(several)
        odd = [image for image in images if not set(image.values) <= {*known, UNKNOWN}]
        if several and odd and _are_classes(known):
            raise ValueError(
                f"labels differ in kind: there are classes up to {known[-1]}, as in "
                f"{names(several)}, and other numbers, as in {names(odd)} "
                f"({_numbers(odd)}). {REMEDY}"
            )
        found = all_values(images)
        raise ValueError(
            f"labels of {len(found)} values up to {found[-1]} look neither like instances nor like "
            f"classes 0, 1, ... ({names(scattered or images)}): {share:.0%} of the values form one "
            "piece in their image. If they are masks that were resized or saved as JPEG, threshold "
            f"them, for instance at {found[-1] // 2}; if they are classes, renumber them 0, 1, "
            "...; if they number objects, set dataset.labels=instances"
        )
    masks = [image for image in images if image.values == (UNKNOWN,)]
    beside = [image for image in images if UNKNOWN in image.values and len(image.values) > 1]
    if len(masks) > len(beside):
        raise ValueError(
            "labels differ in kind: there are classes, where 255 means unknown, and 0 and 255 "
            f"alone, as in masks, in {names(masks)}. {REMEDY}"
        )


def _are_classes(values: list[int]) -> bool:
    return len(values) <= LAST_CLASS and values == list(range(1, len(values) + 1))


def _without_unknown(images: Sequence[LabelSummary]) -> list[int]:
    return [value for value in all_values(images) if value != UNKNOWN]


def all_values(images: Sequence[LabelSummary]) -> list[int]:
    """Return the numbers above 0 of all images, sorted."""
    return sorted({value for image in images for value in image.values})


def count_classes(images: Sequence[LabelSummary]) -> int:
    """Count the classes 0, 1, ...; refuse gaps between their numbers.

    >>> count_classes([LabelSummary.of("a.png", np.array([[0, 2, 1, 255]]))])
    3
    """
    values = _without_unknown(images)
    if values != list(range(1, len(values) + 1)):
        shown = ", ".join(map(str, [0, *values[:12]]))
        raise ValueError(
            f"class labels of values {shown} leave gaps. Renumber them 0, 1, ..., say how many "
            "classes there are by dataset.num_classes, or choose dataset.labels=instances"
        )
    return len(values) + 1


def names(images: Sequence[LabelSummary], limit: int = 5) -> str:
    """Return the names of the first images as text.

    >>> names([LabelSummary("b.png", (1,)), LabelSummary("a.png", (1,))], limit=1)
    'b.png and 1 more'
    """
    more = f" and {len(images) - limit} more" if len(images) > limit else ""
    return ", ".join(image.name for image in images[:limit]) + more


def _numbers(images: Sequence[LabelSummary]) -> str:
    """Return the numbers of images as text.

    >>> _numbers([LabelSummary("a.png", (1, 2, 3, 4, 5, 9))])
    '0, 1, 2, 3, ... 9'
    """
    values = [0, *all_values(images)]
    shown = values if len(values) <= 6 else [*values[:4], f"... {values[-1]}"]
    return ", ".join(map(str, shown))
