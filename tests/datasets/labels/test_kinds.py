import io
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageFilter

from unet_exp.datasets.labels.kinds import count_classes, infer_kind
from unet_exp.datasets.labels.summary import LabelSummary


def page(*rows: str, name: str = "a.png") -> LabelSummary:
    """Draw labels by letters: a dot for 0, ? for -1, digits for themselves, # for 255."""
    values = {".": 0, "?": -1, "#": 255}
    drawn = [[values.get(c) if c in values else int(c) for c in row] for row in rows]
    return LabelSummary.of(name, np.array(drawn, np.int32))


def test_two_values_are_inside_and_outside() -> None:
    assert infer_kind([page(".#.#"), page("....")]) == "binary"
    assert infer_kind([page(".1.1?")]) == "binary"
    assert infer_kind([page("1111")]) == "binary"


def test_numbers_in_one_piece_are_instances() -> None:
    assert infer_kind([page("11.22", "11.23", "4..33")]) == "instances"
    assert infer_kind([page("1.", ".1", "22"), page("33..")]) == "instances"  # joined by a corner


def test_crumbs_and_an_occasional_split_do_not_turn_instances_into_classes() -> None:
    crumb = page("1" * 20 + ".1", "2" * 22)
    assert infer_kind([crumb]) == "instances"
    assert infer_kind([page("11.22.33.44.1")]) == "classes"  # one in four is too many
    assert infer_kind([page("11.22.33.44.55.66.1")]) == "instances"


def test_few_numbers_in_many_pieces_are_classes() -> None:
    assert infer_kind([page("1.2.1", "2.1.2", "..#..")] * 3) == "classes"
    assert infer_kind([page("?1.2.1", "?2.1.2")]) == "classes"


@pytest.mark.parametrize("labels", [page("5.7.5.7"), page("1.3.1.3")])
def test_scattered_numbers_with_gaps_are_not_guessed(labels) -> None:
    with pytest.raises(ValueError, match=r"look neither like instances nor like classes.*labels="):
        infer_kind([labels])


def test_classes_are_counted_without_gaps() -> None:
    assert count_classes([page("12.?#"), page("33")]) == 4
    with pytest.raises(ValueError, match=r"class labels of values 0, 2 leave gaps"):
        count_classes([page("2.")])


MASK = page(".##.#", ".....", "##.##", name="mask.png")  # 0 and 255 in several pieces
ONE = page(".11.1", ".....", "11.11", name="one.png")  # 0 and 1
SEVEN = page(".77.7", ".....", "77.77", name="seven.png")
BLOB = page(".##..", ".##..", ".....", name="blob.png")
EMPTY = page(".....", ".....", ".....", name="empty.png")
FULL = page("#####", "#####", "#####", name="full.png")
ONES = page("11111", "11111", "11111", name="ones.png")
OBJECTS = page("11.22", "11.22", "33.44", name="objects.png")
OBJECT = page("77...", "77...", ".....", name="object.png")
CLASSES = page("1.2.1", "2.1.2", "1.2.1", name="classes.png")
FEW = page("2..2.", ".....", ".2..2", name="few.png")
UNSURE = page("1.2.1", "2#1#2", "1.2.1", name="unsure.png")


@pytest.mark.parametrize(
    ("images", "kind"),
    [
        ([ONE, MASK], "binary"),
        ([ONE, MASK, SEVEN, EMPTY, FULL, ONES, BLOB, OBJECT], "binary"),
        ([EMPTY, FULL], "binary"),
        ([OBJECTS, OBJECT, BLOB, EMPTY, FULL, ONES], "instances"),
        ([CLASSES, FEW, EMPTY, ONES], "classes"),
        ([UNSURE, CLASSES, FEW], "classes"),
        ([UNSURE, BLOB], "classes"),  # 255 is unknown there, and so may be here
        ([CLASSES, page(".11..", ".11.2")], "classes"),  # one piece of each class
        ([page("11.22"), page("11..."), page("1....", "22222")], "instances"),
    ],
)
def test_images_follow_those_whose_kind_is_plain(images, kind) -> None:
    assert infer_kind(images) == kind
    assert infer_kind(images[::-1]) == kind


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            [OBJECTS, MASK],
            r"masks .*, as mask.png \(0, 255\), and several numbers, as in objects.png \(0, 1,",
        ),
        ([OBJECTS, ONE], r"inside and outside, as one.png .*objects.png"),
        (
            [OBJECTS, CLASSES],
            r"objects, each in one piece, as in objects.png .*many pieces.*as in classes.png",
        ),
        ([OBJECTS, CLASSES, MASK], r"in one piece, as in objects.png.*as in classes.png, mask.png"),
        ([CLASSES, MASK], r"0 and 255 alone, as in masks, in mask.png"),
        ([CLASSES, FULL, EMPTY], r"0 and 255 alone, as in masks, in full.png"),
        ([UNSURE, MASK, BLOB], r"0 and 255 alone, .* in mask.png, blob.png"),
        (
            [CLASSES, SEVEN],
            r"classes up to 2, as in classes.png, and other numbers, as in seven.png",
        ),
        ([ONE, FEW], r"not all the same \(one.png 1, few.png 2\).*dataset.labels=binary"),
        (
            [page("11.22", name=f"{n}.png") for n in range(4)] + [page("1.122", name="split.png")],
            r"most numbers form one piece.*as in 0.png, 1.png, .*but not in split.png",
        ),
        (
            [page(".##99", ".##99")],
            r"255 occurs besides numbers up to 9 in a.png.*dataset.ignore=255",
        ),
        ([page(".11##", "...##")], r"besides numbers up to 1 in a.png, and may mean unknown"),
    ],
)
def test_images_that_contradict_each_other_are_refused_by_name(images, message) -> None:
    for order in (images, images[::-1], images * 3):
        if order is images:
            with pytest.raises(ValueError, match=message):
                infer_kind(order)
        with pytest.raises(ValueError, match=r"dataset\.labels="):
            infer_kind(order)


def test_a_number_as_high_as_its_neighbours_is_an_instance_though_255() -> None:
    drawn = np.array([[200, 200, 0, 255], [254, 0, 0, 255]])
    assert infer_kind([LabelSummary.of("a.png", drawn)]) == "instances"


def test_grey_values_are_no_labels() -> None:
    grey = np.random.default_rng(0).permutation(4096).reshape(64, 64)
    with pytest.raises(ValueError, match=r"most numbers in a.png are those of a single pixel"):
        infer_kind([LabelSummary.of("a.png", grey), OBJECTS])
    photograph = np.random.default_rng(0).integers(0, 256, (64, 64))
    with pytest.raises(ValueError, match=r"look neither like instances nor like classes.*a.png"):
        infer_kind([LabelSummary.of("a.png", photograph)])


def test_five_names_are_enough() -> None:
    many = [page(".##.#", name=f"{n}.png") for n in range(9)]
    with pytest.raises(
        ValueError, match=r"as 0.png, 1.png, 2.png, 3.png, 4.png and 4 more \(0, 255\)"
    ):
        infer_kind([*many, OBJECTS])


def disc(top: int = 255) -> Image.Image:
    rows, columns = np.mgrid[:90, :100] - 45
    return Image.fromarray((rows**2 + columns**2 < 900).astype(np.uint8) * np.uint8(top))


def as_jpeg(mask: Image.Image, quality: int) -> Image.Image:
    held = io.BytesIO()
    mask.save(held, "JPEG", quality=quality)
    return Image.open(held)


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda mask: mask.resize((61, 57), Image.Resampling.BILINEAR),
        lambda mask: mask.resize((251, 240), Image.Resampling.BICUBIC),
        lambda mask: mask.rotate(10, Image.Resampling.BILINEAR),
        lambda mask: mask.filter(ImageFilter.GaussianBlur(1.5)),
        *(partial(as_jpeg, quality=quality) for quality in (30, 75, 95)),
    ],
)
@pytest.mark.parametrize("factor", [np.uint8(1), np.uint16(257)])
def test_masks_that_were_resized_or_saved_as_jpeg_are_to_be_thresholded(
    spoilt: Callable[[Image.Image], Image.Image], factor: np.integer
) -> None:
    page = np.asarray(spoilt(disc())) * factor
    with pytest.raises(ValueError, match=r"a\.png.*[Tt]hreshold them, for instance at \d+") as no:
        infer_kind([LabelSummary.of("a.png", page)])
    assert "dataset.labels=classes" not in str(no.value)
    where = int(str(no.value).split("instance at ")[1].split()[0].strip(".,;"))
    assert infer_kind([LabelSummary.of("a.png", (page > where).astype(np.uint8))]) == "binary"


def test_numbered_objects_up_to_255_are_no_smoothed_mask() -> None:
    numbers = np.zeros((170, 170), np.uint8)
    for number in range(1, 256):
        row, column = divmod(number - 1, 16)
        numbers[10 * row : 10 * row + 6, 10 * column : 10 * column + 6] = number
    assert infer_kind([LabelSummary.of("a.png", numbers)]) == "instances"
