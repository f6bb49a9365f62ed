import numpy as np
import pytest

from unet_exp.targets.foreground import annotation, regions, training_target


def test_instances_alone() -> None:
    labels, classes = annotation(np.array([[1, 1, 2, 2, 0, -1]]), separation=False)
    np.testing.assert_array_equal(labels, [[1, 1, 2, 2, 0, -1]])
    np.testing.assert_array_equal(classes, [[1, 1, 1, 1, 0, 255]])


def test_classes_alone_are_not_separated() -> None:
    drawn = np.array([[1, 1, 2, 2, 0, 255]], np.uint8)
    labels, classes = annotation(None, drawn)
    np.testing.assert_array_equal(labels, [[1, 1, 2, 2, 0, -1]])
    np.testing.assert_array_equal(classes, drawn)


def test_both() -> None:
    drawn = np.array([[2, 2, 2, 1, 0, 255, 1]], np.uint8)
    labels, classes = annotation(np.array([[1, 1, 4, 4, 0, 0, -1]]), drawn)
    np.testing.assert_array_equal(labels, [[1, 1, 4, 4, 0, 0, -1]])
    np.testing.assert_array_equal(classes, [[2, 2, 2, 1, 0, 255, 255]])


def test_regions_of_one_class_touch_no_other_at_a_side() -> None:
    classes = np.array([[1, 0, 1], [1, 2, 1], [0, 2, 255]], np.uint8)
    np.testing.assert_array_equal(regions(classes), [[1, 0, 2], [1, 3, 2], [0, 3, -1]])


def test_the_target_of_the_article_has_the_border() -> None:
    target = training_target(np.array([[7, 7, 3, 3, 0, -1]]))
    assert target.dtype == np.int16
    np.testing.assert_array_equal(target, [[1, 0, 0, 1, 0, -1]])


def test_the_target_of_classes() -> None:
    target = training_target(None, np.array([[2, 1, 255]], np.uint8))
    np.testing.assert_array_equal(target, [[2, 1, -1]])


def test_no_annotation_is_refused() -> None:
    with pytest.raises(ValueError, match="Pass labels, classes or both"):
        annotation(None)
