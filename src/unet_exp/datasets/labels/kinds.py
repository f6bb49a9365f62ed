"""What the numbers in label images mean: instances, inside and outside, or classes."""

from collections.abc import Sequence

import numpy as np

from unet_exp.datasets.labels.summary import CLASSES, UNKNOWN, Seen

KINDS = ("auto", "instances", "binary", "classes")
#: Numbers beside 1 that programs write for inside: the largest of each type.
TOPS = (255, 2**16 - 1, 2**32 - 1, 2**64 - 1)

#: Largest numbers of smoothed masks: white, or nearly so.
SHADES = (*range(200, 256), *range(51_200, 2**16))


def infer_kind(images: Sequence[Seen]) -> str:
    """Tell what labels mean: "binary", "instances" or "classes".

    Each image is looked at by itself. One without numbers may be of any kind. Where fewer than four
    fifths of the numbers of an image form a single piece, they do not number instances; where it
    has three numbers or more, of which four fifths do, they number instances; others may be of
    either kind and follow the rest. Then, for all images:

    1. Each has a single number beside 0: binary, whether the number is 1, 255 or another. Only
       where the numbers of different images are 1, 2, ..., they may as well be classes.
    2. Some number instances, and none does not: instances.
    3. Some do not, none does, and fewer than four fifths of all numbers form a single piece:
       classes, if they are 0, 1, ... without gaps up to at most 31, where 255 means unknown.
    4. All may be of either kind: instances, if four fifths of all numbers form a single piece;
       else classes, as in rule 3.

    Raises
    ------
    ValueError
        Images that contradict each other, or that may mean several things; the message names them
        and asks for `dataset.labels`.

    >>> def kind(*images):
    ...     return infer_kind([Seen.of("a.png", np.array(image)) for image in images])
    >>> kind([[0, 255], [0, 0]], [[1, 0], [1, 1]])
    'binary'
    >>> kind([[1, 1, 0, 2], [0, 0, 0, 2]])
    'instances'
    >>> kind([[1, 2, 1, 2, 1]])
    'classes'
    """
    drawn = [image for image in images if image.values]
    if blurred := [image for image in drawn if image.blurred and image.values[-1] in SHADES]:
        top = blurred[0].values[-1]
        raise ValueError(
            f"{named(blurred)} hold shades between 0 and {top}, as masks do whose edges were "
            "smoothed by resizing, or that were saved as JPEG. Threshold them, for instance at "
            f"{top // 2}, and save them as PNG or TIFF. If they number objects, say so by "
            "dataset.labels=instances"
        )
    grainy = [image for image in drawn if image.grainy]
    if grainy:
        raise ValueError(
            f"most numbers in {named(grainy)} are those of a single pixel, as grey values are. "
            "Check that they are label images; masks that were resized or saved as JPEG are to be "
            "thresholded. If they number objects, say so by dataset.labels=instances"
        )
    single = [image for image in drawn if len(image.values) == 1]
    apart = [image for image in drawn if image.scattered]
    whole = [image for image in drawn if image.numbered]
    if len(single) == len(drawn):
        return _kind_of_masks(single)
    several = [image for image in drawn if len(image.values) > 1]
    if apart and all(len(image.values) == 1 for image in apart):
        raise ValueError(
            f"labels differ in kind: there are masks of inside and outside, as {named(apart)} "
            f"({_numbers(apart)}), and several numbers, as in {named(several)} "
            f"({_numbers(several)}). {REMEDY}"
        )
    if apart and whole:
        raise ValueError(
            "labels differ in kind: there are numbered objects, each in one piece, as in "
            f"{named(whole)} ({_numbers(whole)}), and numbers in many pieces, like classes, as in "
            f"{named(apart)} ({_numbers(apart)}). {REMEDY}"
        )
    share = np.mean([n == 1 for image in several for n in image.pieces])
    if not apart:
        _refuse_doubtful_top(drawn)
        if whole or share >= 0.8:
            return "instances"
    elif share >= 0.8 and (others := [image for image in several if not image.scattered]):
        raise ValueError(
            "labels differ in kind: most numbers form one piece, like those of instances, as in "
            f"{named(others)}, but not in {named(apart)}. {REMEDY}"
        )
    _require_classes(drawn, apart, float(share))
    return "classes"


REMEDY = (
    "Convert them to one kind, or say what all of them are by dataset.labels=instances, "
    "dataset.labels=binary or dataset.labels=classes"
)


def named(images: Sequence[Seen], limit: int = 5) -> str:
    """Name images, the first few of them.

    >>> named([Seen("b.png", (1,), (1,)), Seen("a.png", (1,), (1,))], limit=1)
    'b.png and 1 more'
    """
    more = f" and {len(images) - limit} more" if len(images) > limit else ""
    return ", ".join(image.name for image in images[:limit]) + more


def all_values(images: Sequence[Seen]) -> list[int]:
    """List the numbers above 0 in rising order.

    >>> all_values([Seen.of("a", np.array([[-1, 3]])), Seen.of("b", np.array([[0, 3]]))])
    [3]
    """
    return sorted({value for image in images for value in image.values})


def count_classes(images: Sequence[Seen]) -> int:
    """Count the classes 0, 1, ...; a gap in their numbers is refused.

    >>> count_classes([Seen.of("a.png", np.array([[0, 2, 1, 255]]))])
    3
    """
    values = [v for v in all_values(images) if v != UNKNOWN]
    if values != list(range(1, len(values) + 1)):
        shown = ", ".join(map(str, [0, *values[:12]]))
        raise ValueError(
            f"class labels of values {shown} leave gaps. Renumber them 0, 1, ..., say how many "
            "classes there are by dataset.num_classes, or choose dataset.labels=instances"
        )
    return len(values) + 1


def _kind_of_masks(images: list[Seen]) -> str:
    """Tell the kind of images with a single number each."""
    classes = [v for v in all_values(images) if v not in TOPS]
    if len(classes) > 1 and classes == list(range(1, len(classes) + 1)):
        examples = [next(i for i in images if i.values == (v,)) for v in classes[:5]]
        each = ", ".join(f"{image.name} {image.values[0]}" for image in examples)
        raise ValueError(
            f"each label image holds a single number beside 0, but not all the same ({each}): they "
            "may be classes, numbers of objects, or masks. Say what they are by "
            "dataset.labels=classes, dataset.labels=instances or dataset.labels=binary"
        )
    return "binary"


def _refuse_doubtful_top(images: list[Seen]) -> None:
    """Refuse 255 far above all other numbers, which may mean unknown."""
    values = all_values(images)
    beside = [image for image in images if len(image.values) > 1 and UNKNOWN in image.values]
    if beside and values[-1] == UNKNOWN and values[-2] <= 0.6 * UNKNOWN:
        raise ValueError(
            f"255 stands beside numbers up to {values[-2]} in {named(beside)}, and may mean "
            "unknown. If it does, say so by dataset.ignore=255; if it numbers an instance like the "
            "others, by dataset.labels=instances; if there are classes, by dataset.labels=classes"
        )


def _require_classes(drawn: list[Seen], apart: list[Seen], share: float) -> None:
    """Refuse numbers that are no classes, and 255 where it is not plain that it means unknown."""
    values = [v for v in all_values(drawn) if v != UNKNOWN]
    if len(values) > CLASSES or values != list(range(1, len(values) + 1)):
        several = [image for image in apart if len(image.values) > 1]
        known = [v for v in all_values(several) if v != UNKNOWN]
        odd = [i for i in drawn if not set(i.values) <= {*known, UNKNOWN}]
        if several and odd and known == list(range(1, len(known) + 1)) and len(known) <= CLASSES:
            raise ValueError(
                f"labels differ in kind: there are classes up to {known[-1]}, as in "
                f"{named(several)}, and other numbers, as in {named(odd)} "
                f"({_numbers(odd)}). {REMEDY}"
            )
        found = all_values(drawn)
        raise ValueError(
            f"labels of {len(found)} values up to {found[-1]}, of which only "
            f"{share:.0%} form one piece in their image, look neither like instances nor like "
            f"classes 0, 1, ... ({named(apart or drawn)}). If they are masks that were resized or "
            f"saved as JPEG, threshold them, for instance at {found[-1] // 2}; classes are to be "
            "renumbered 0, 1, ...; if they number objects, say so by dataset.labels=instances"
        )
    masks = [i for i in drawn if i.values == (UNKNOWN,)]
    beside = [i for i in drawn if UNKNOWN in i.values and len(i.values) > 1]
    if len(masks) > len(beside):
        raise ValueError(
            "labels differ in kind: there are classes, beside which 255 means unknown, and 0 and "
            f"255 alone, as in masks, in {named(masks)}. {REMEDY}"
        )


def _numbers(images: Sequence[Seen]) -> str:
    """Show the numbers of some images.

    >>> _numbers([Seen("a.png", (1, 2, 3, 4, 5, 9), (1,))])
    '0, 1, 2, 3, ... 9'
    """
    values = [0, *all_values(images)]
    shown = values if len(values) <= 6 else [*values[:4], f"... {values[-1]}"]
    return ", ".join(map(str, shown))
