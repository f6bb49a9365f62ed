import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unet_exp.datasets.labels.decoder import LabelDecoder
from unet_exp.datasets.labels.summary import LabelSummary


def decide(page: np.ndarray, ignore: int | None = None, **options) -> LabelDecoder:
    return LabelDecoder.decide([LabelSummary.of("a.png", page, ignore)], ignore=ignore, **options)


CLASSES = np.array([[1, 1, 0, 1], [2, 2, 0, 1], [255, -1, 0, 2]], np.int32)


def test_classes_keep_their_numbers_and_their_pieces_become_instances() -> None:
    reading = decide(CLASSES)
    assert (reading.kind, reading.num_classes) == ("classes", 3)
    classes = reading.classes(CLASSES)
    assert classes is not None
    assert_array_equal(classes, [[1, 1, 0, 1], [2, 2, 0, 1], [255, 255, 0, 2]])
    assert_array_equal(reading.instances(CLASSES), [[1, 1, 0, 2], [3, 3, 0, 2], [-1, -1, 0, 4]])


def test_instances_keep_their_numbers() -> None:
    page = np.array([[300, 300, 0, 7], [-5, 255, 255, 7]], np.int32)
    reading = decide(page)
    assert (reading.kind, reading.num_classes) == ("instances", 2)
    assert reading.classes(page) is None
    assert_array_equal(reading.instances(page), [[300, 300, 0, 7], [-1, 255, 255, 7]])


def test_instances_of_any_number_are_counted_from_1() -> None:
    page = np.array([[0, 2**63, 2**63, 5], [2**64 - 1, 0, 5, 5]], np.uint64)
    reading = decide(page)
    assert reading.kind == "instances"
    numbered = reading.instances(page)
    assert numbered.dtype == np.int32
    assert_array_equal(numbered, [[0, 2, 2, 1], [3, 0, 1, 1]])
    assert decide(page, ignore=2**63).instances(page)[0, 1] == -1


def test_a_value_can_be_declared_unknown() -> None:
    page = np.array([[0, 255, 127, 0, 255]], np.int32)
    reading = decide(page, ignore=127)
    assert reading.kind == "binary"
    assert_array_equal(reading.instances(page), [[0, 1, -1, 0, 2]])
    shifted = np.array([[1, 2, 9, 1, 2]], np.int32)
    assert decide(shifted, ignore=9).num_classes == 3


def test_more_than_two_classes_say_that_labels_are_classes() -> None:
    # As of a few images on which a network of three classes is scored.
    for page in ([[0, 1, 1, 0]], [[1, 1, 2, 2]], [[0, 2, 2, 255]]):
        reading = decide(np.array(page, np.uint8), num_classes=3)
        assert (reading.kind, reading.num_classes) == ("classes", 3)
    with pytest.raises(ValueError, match=r"class 7 \(a.png\).*take dataset.labels=instances"):
        decide(np.array([[1, 7, 5]], np.uint8), num_classes=3)
    with pytest.raises(ValueError, match="255 is no class but means unknown"):
        decide(np.array([[0, 255]], np.uint8), num_classes=3)


def test_given_settings_count_more_than_inferred_ones() -> None:
    page = np.array([[0, 1, 1, 0, 3]], np.int32)
    assert decide(page, kind="classes", num_classes=5).num_classes == 5
    assert decide(page, kind="binary").instances(page).tolist() == [[0, 1, 1, 0, 2]]
    assert decide(CLASSES, kind="instances").instances(CLASSES)[1, 3] == 1


@pytest.mark.parametrize(
    ("page", "options", "message"),
    [
        ([[0, 0]], {}, "all 1 label images are empty"),
        ([[0, -1]], {}, "are empty"),
        ([[0, 7]], {"ignore": 7}, "are empty"),
        ([[0, 1]], {"kind": "masks"}, "dataset.labels=masks is not known. Choose one of auto"),
        ([[0, 3]], {"kind": "classes"}, "values 0, 3 leave gaps"),
        ([[0, 255]], {"kind": "classes"}, "hold only 0 and 255.*dataset.labels=binary"),
        ([[1, 2, 300]], {"kind": "classes"}, r"class 300 \(a.png\), and classes go up to 254"),
        (
            [[0, 3]],
            {"kind": "classes", "num_classes": 3},
            r"class 3 \(a.png\), but dataset.num_classes=3",
        ),
    ],
)
def test_labels_that_teach_nothing_or_contradict_the_settings(page, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        decide(np.array(page, np.int32), **options)
