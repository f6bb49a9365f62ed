from dataclasses import replace

import numpy as np
import pytest

from unet_exp.datasets.sample import Sample
from unet_exp.planning import fingerprint as module
from unet_exp.planning.fingerprint import fingerprint


def sample(labels: np.ndarray, name: str = "a", channels: int = 1) -> Sample:
    noise = np.random.default_rng(0).normal(size=(channels, *labels.shape))
    return Sample(name, noise.astype(np.float32), labels.astype(np.int32))


def squares(*sides: int, size: int = 40) -> np.ndarray:
    """Squares in a row along the top, five pixels apart."""
    labels, left = np.zeros((size, size), int), 0
    for number, side in enumerate(sides, start=1):
        labels[:side, left : left + side] = number
        left += side + 5
    return labels


def test_facts_of_drawn_squares() -> None:
    found = fingerprint((sample(squares(4, 10)), sample(np.zeros((40, 60)), "b")))
    assert (found.images, found.channels, found.sides, found.pixels) == (2, 1, (40, 60), 4000)
    assert (found.objects, found.smallest, found.touching) == (2, 16, 0)
    assert found.foreground == pytest.approx(116 / 4000)
    # A disc of 16 pixels has a diameter of 4.51, one of 100 pixels of 11.28.
    assert found.diameters == pytest.approx((4.85, 7.90, 10.95), abs=0.01)
    assert not found.by_class


def test_only_objects_that_meet_touch() -> None:
    labels = np.zeros((9, 12), int)
    labels[0:2, 0:2], labels[2:4, 2:4] = 1, 2  # at a corner
    labels[0:2, 6:8], labels[0:2, 9:11] = 3, 4  # with a pixel between them
    assert fingerprint((sample(labels),)).touching == 0.5


def test_unknown_pixels_are_neither_object_nor_background() -> None:
    labels = squares(4, size=8)
    labels[4:] = -1
    found = fingerprint((sample(labels),))
    assert (found.objects, found.foreground) == (1, 0.5)


def test_no_object_at_all() -> None:
    found = fingerprint((sample(np.zeros((8, 8))),))
    assert (found.objects, found.diameters, found.smallest, found.foreground) == (
        0,
        (0, 0, 0),
        0,
        0,
    )


def test_the_number_of_objects_is_estimated_from_some_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_IMAGES", 3)
    images = [sample(squares(4, 4), str(number)) for number in range(30)]
    found = fingerprint(tuple(images))
    assert (found.images, found.objects, found.pixels) == (30, 60, 30 * 1600)


def test_of_a_large_image_the_middle_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.zeros((40, 40), int)
    labels[18:22, 18:22], labels[0:9, 0:9] = 1, 2
    monkeypatch.setattr(module, "WINDOW", 10)
    found = fingerprint((sample(labels),))
    assert (found.objects, found.smallest, found.sides) == (1, 16, (40, 40))


def test_a_hot_pixel_in_any_channel_is_an_outlier() -> None:
    hot = sample(squares(4), channels=2)
    hot.image[1, 7, 7] = 1000
    assert fingerprint((hot, sample(squares(4), "b", channels=2))).outliers == 0.5


def test_labels_that_are_classes_are_recognised() -> None:
    by_class = replace(sample(squares(4)), classes=(squares(4) > 0).astype(np.uint8))
    assert fingerprint((by_class,)).by_class
