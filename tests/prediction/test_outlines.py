"""Outlines enclose exactly the pixels of an object, and are valid polygons for shapely."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unet_exp.prediction import outlines
from unet_exp.prediction.outlines import masks, outline

shapely = pytest.importorskip("shapely")

PARTS_THAT_TOUCH_AT_CORNERS = np.array([[1, 0], [0, 1]], bool)
HOLE_AT_A_CORNER = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
TWO_HOLES_THAT_TOUCH = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]], bool)


@given(arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_any_mask_gives_valid_polygons_of_its_pixels(mask: np.ndarray) -> None:
    height, width = mask.shape
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in outline(mask)]
    assert all(polygon.is_valid for polygon in polygons)
    y, x = np.mgrid[:height, :width] + 0.5
    inside = sum(shapely.contains_xy(polygon, x, y).astype(int) for polygon in polygons)
    np.testing.assert_array_equal(inside + np.zeros(mask.shape), mask)
    assert sum(polygon.area for polygon in polygons) == mask.sum()


def test_a_drawn_corner() -> None:
    # An L: down the left side, along the bottom.
    [[ring]] = outline(np.array([[1, 0], [1, 1]], bool))
    assert ring.tolist() == [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [0, 2]]


@pytest.mark.parametrize(
    ("mask", "rings"),
    [(PARTS_THAT_TOUCH_AT_CORNERS, [1, 1]), (HOLE_AT_A_CORNER, [2]), (TWO_HOLES_THAT_TOUCH, [3])],
)
def test_corners_separate_parts_and_holes(mask: np.ndarray, rings: list[int]) -> None:
    assert [len(polygon) for polygon in outline(mask)] == rings


def test_masks_are_read_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "WINDOW", 8)
    labels = np.zeros((40, 40), np.uint32)
    labels[1:4, 2:5], labels[6:11, 6:9], labels[30:33, 33:40], labels[15:35, 1] = 3, 1, 2, 7
    read: list[tuple[int, int]] = []

    class Sliced:
        def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
            found = labels[key]
            read.append(found.shape)
            return found

    numbers = [1, 2, 3, 7]
    boxes = np.array([[6, 6, 11, 9], [30, 33, 33, 40], [1, 2, 4, 5], [15, 1, 35, 2]])
    for index, (top, left), mask in masks(Sliced(), numbers, boxes):
        whole = np.zeros(labels.shape, bool)
        whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        np.testing.assert_array_equal(whole, labels == numbers[index])
    assert sorted(read) == [(3, 7), (10, 7), (20, 1)]
