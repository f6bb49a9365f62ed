import numpy as np
import pytest
import torch

from unet_exp.targets.foreground import Foreground
from unet_exp.targets.target import Target


def test_it_is_a_target() -> None:
    assert isinstance(Foreground(), Target)


def test_the_target_of_the_article_has_the_border() -> None:
    encoded = Foreground().encode(np.array([[7, 7, 3, 3, 0, -1]]))
    assert encoded.target.dtype == np.int16
    np.testing.assert_array_equal(encoded.target, [[1, 0, 0, 1, 0, -1]])
    np.testing.assert_array_equal(encoded.labels, [[7, 0, 0, 3, 0, -1]])
    np.testing.assert_array_equal(encoded.classes, [[1, 0, 0, 1, 0, 255]])


def test_without_separation_instances_stay_as_they_are() -> None:
    encoded = Foreground(separation=False).encode(np.array([[1, 1, 2, 2, 0, -1]]))
    np.testing.assert_array_equal(encoded.target, [[1, 1, 1, 1, 0, -1]])
    np.testing.assert_array_equal(encoded.labels, [[1, 1, 2, 2, 0, -1]])
    np.testing.assert_array_equal(encoded.classes, [[1, 1, 1, 1, 0, 255]])


def test_drawn_classes_are_not_separated() -> None:
    drawn = np.array([[2, 2, 2, 1, 0, 255, 1]], np.uint8)
    encoded = Foreground(num_classes=3).encode(np.array([[1, 1, 4, 4, 0, 0, -1]]), drawn)
    np.testing.assert_array_equal(encoded.labels, [[1, 1, 4, 4, 0, 0, -1]])
    np.testing.assert_array_equal(encoded.classes, [[2, 2, 2, 1, 0, 255, 255]])
    np.testing.assert_array_equal(encoded.target, [[2, 2, 2, 1, 0, -1, -1]])


def test_the_labels_stay_as_they_were() -> None:
    labels = np.array([[1, 1, 2, 2, -1]])
    Foreground().encode(labels)
    np.testing.assert_array_equal(labels, [[1, 1, 2, 2, -1]])


@pytest.mark.parametrize("classes", [2, 5])
def test_a_softmax_has_a_channel_for_each_class(classes: int) -> None:
    target = Foreground(num_classes=classes)
    assert target.out_channels == classes
    output = torch.randn(1, classes, 4, 6, dtype=torch.float16)
    torch.testing.assert_close(target.evidence(output), output.float().softmax(1))


def test_a_sigmoid_is_the_softmax_of_zero_and_its_channel() -> None:
    target = Foreground(activation="sigmoid")
    assert target.out_channels == 1
    output = torch.randn(2, 1, 5, 7)
    two = torch.cat([torch.zeros_like(output), output], 1)
    torch.testing.assert_close(target.evidence(output), Foreground().evidence(two))


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"activation=tanh is unknown.*softmax, sigmoid"):
        Foreground(activation="tanh")


def test_a_sigmoid_for_three_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="tells 2 classes apart, and there are 3"):
        Foreground(num_classes=3, activation="sigmoid")
