import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import euler_number

from unet_exp.metrics.simple_points import NEIGHBOURS, SIMPLE, is_simple, neighbourhoods


def amid(neighbourhood: int, middle: bool) -> np.ndarray:
    image = np.zeros((5, 5), np.uint8)
    for bit, (row, column) in enumerate(NEIGHBOURS):
        image[2 + row, 2 + column] = neighbourhood >> bit & 1
    image[2, 2] = middle
    return image


def topology(image: np.ndarray) -> tuple[int, int]:
    """Count 4-connected objects and 8-connected holes; the outside is no hole."""
    objects = cv2.connectedComponents(image, connectivity=4)[0] - 1
    holes = cv2.connectedComponents(1 - image, connectivity=8)[0] - 2
    return objects, holes


@pytest.mark.parametrize("neighbourhood", range(256))
def test_a_flip_of_a_simple_point_changes_neither_objects_nor_holes(neighbourhood: int) -> None:
    before, after = (topology(amid(neighbourhood, middle)) for middle in (False, True))
    assert is_simple(neighbourhood) == (before == after)
    assert SIMPLE[neighbourhood] == is_simple(neighbourhood)


@given(st.integers(0, 255))
def test_scikit_image_counts_the_same_euler_number(neighbourhood: int) -> None:
    without, with_it = (
        euler_number(amid(neighbourhood, middle), connectivity=1) for middle in (False, True)
    )
    if SIMPLE[neighbourhood]:
        assert without == with_it


def test_neighbours_are_numbered_row_by_row() -> None:
    image = np.zeros((3, 3), bool)
    image[0, 0] = image[2, 1] = True
    assert neighbourhoods(image)[1, 1] == 0b01000001
    assert neighbourhoods(image)[2, 2] == 0b00001000
    assert neighbourhoods(np.ones((1, 1), bool)).tolist() == [[0]]
