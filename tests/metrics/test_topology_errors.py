import numpy as np
import pytest

from unet_exp.metrics.topology_errors import TopologyErrors, topology_errors


def at(image: np.ndarray, *pixels: tuple[int, int]) -> np.ndarray:
    wrong = np.zeros(image.shape, bool)
    for pixel in pixels:
        wrong[pixel] = True
    return wrong


@pytest.fixture
def foreground(draw):
    return lambda text: draw(text).numpy() > 0


def test_a_background_pixel_between_objects_merges(foreground) -> None:
    image = foreground("11.11 11.11 11.11")
    assert topology_errors(image, at(image, (1, 2))) == TopologyErrors(0, 1, 0)


def test_a_foreground_pixel_of_a_bridge_splits(foreground) -> None:
    image = foreground("..... 11111 .....")
    assert topology_errors(image, at(image, (1, 2))) == TopologyErrors(1, 0, 0)


def test_objects_and_holes_are_neither(foreground) -> None:
    new_object = foreground("..... ..... .....")
    new_hole = foreground("11111 11111 11111")
    lost_hole = foreground("11111 11.11 11111")
    lost_object = foreground("..... ..1.. .....")
    for image in (new_object, new_hole, lost_hole, lost_object):
        assert topology_errors(image, at(image, (1, 2))) == TopologyErrors(0, 0, 1)


def test_closing_a_loop_merges_nothing(foreground) -> None:
    image = foreground("111 1.1 111 ..1 111")
    assert topology_errors(image, at(image, (3, 0), (1, 1))) == TopologyErrors(0, 0, 2)


def test_a_ring_is_split_by_one_cut_only_as_far_as_one_looks(foreground) -> None:
    ring = foreground("......... .1111111. .1.....1. .1.....1. .1111111. .........")
    cut = at(ring, (1, 4))
    assert topology_errors(ring, cut, radius=2) == TopologyErrors(1, 0, 0)
    assert topology_errors(ring, cut, radius=None) == TopologyErrors(0, 0, 1)
    assert topology_errors(ring, cut, radius=20) == TopologyErrors(0, 0, 1)  # past the image


def test_beside_another_object_a_foreground_pixel_splits(foreground) -> None:
    image = foreground("1.... .11.. ..... .....")
    assert topology_errors(image, at(image, (1, 1))) == TopologyErrors(1, 0, 0)


def test_nothing_wrong(foreground) -> None:
    image = foreground("11.1")
    assert topology_errors(image, at(image)) == TopologyErrors(0, 0, 0)
