import numpy as np
import pytest
from numpy.testing import assert_array_equal

from unet_exp.datasets.unannotated import fill_in, mark_unknown, missing_markers


def row(*runs: tuple[int, int]) -> np.ndarray:
    """A picture of one row: (value, length), ..."""
    return np.repeat([v for v, _ in runs], [n for _, n in runs]).astype(np.int32)[None]


def test_a_marker_is_found_when_more_than_half_of_it_is_covered() -> None:
    markers = row((3, 4), (0, 1), (7, 4))
    assert missing_markers(row((1, 3), (0, 6)), markers) == [7]
    assert missing_markers(row((1, 2), (0, 7)), markers) == [3, 7]  # half is not enough
    assert missing_markers(row((1, 1), (2, 3), (0, 2), (2, 3)), markers) == []
    assert missing_markers(row((0, 9)), row((0, 9))) == []


def test_a_complete_frame_stays_as_it_is() -> None:
    gold, markers = row((1, 5), (0, 5)), row((0, 2), (1, 1), (0, 7))
    assert_array_equal(mark_unknown(gold, markers, row((1, 6), (0, 4))), gold)
    assert_array_equal(mark_unknown(gold, markers, None), gold)
    assert_array_equal(mark_unknown(gold, None, None), gold)


def test_without_silver_nothing_is_known_beside_the_gold() -> None:
    gold, markers = row((1, 3), (0, 7)), row((0, 1), (1, 1), (0, 6), (2, 1), (0, 1))
    assert_array_equal(mark_unknown(gold, markers, None), row((1, 3), (-1, 7)))


def test_the_silver_object_under_a_missing_marker_and_a_margin_are_unknown() -> None:
    gold = row((1, 3), (0, 37))
    markers = row((0, 1), (1, 1), (0, 18), (2, 3), (0, 17))
    silver = row((1, 3), (0, 18), (9, 4), (0, 15))
    unknown = row((1, 3), (0, 12), (-1, 15), (0, 10))
    assert_array_equal(
        mark_unknown(gold, markers, silver), unknown
    )  # marker 20-22, object 21-24, 5 more


def test_a_marker_without_a_silver_object_hides_a_cell_within_one_diameter() -> None:
    cell = np.zeros((60, 60), np.int32)
    cell[2:12, 2:12] = 1  # 100 pixels: the disc of that area is 11.28 pixels wide
    markers = np.zeros((60, 60), np.int32)
    markers[6, 6], markers[40, 40] = 1, 2
    unknown = mark_unknown(cell, markers, cell)
    y, x = np.mgrid[:60, :60]
    assert_array_equal(unknown == -1, np.hypot(y - 40, x - 40) <= 11.28)
    nothing = np.zeros_like(cell)
    assert (mark_unknown(nothing, markers, nothing) == -1).all()


def test_silver_objects_stand_in_for_markers() -> None:
    gold, silver = row((4, 2), (0, 18)), row((1, 2), (0, 8), (2, 1), (0, 9))
    unknown = mark_unknown(gold, None, silver)
    assert_array_equal(unknown, row((4, 2), (0, 3), (-1, 11), (0, 4)))


def test_missing_cells_are_filled_in_below_the_gold() -> None:
    gold = row((5, 4), (0, 8))
    markers = row((0, 1), (1, 1), (0, 4), (2, 2), (0, 4))
    silver = row((1, 3), (2, 5), (0, 1), (3, 3))
    assert_array_equal(fill_in(gold, markers, silver), row((5, 4), (6, 4), (0, 4)))
    assert_array_equal(fill_in(gold, None, silver), row((5, 4), (6, 4), (0, 1), (7, 3)))
    assert_array_equal(gold, row((5, 4), (0, 8)))


@pytest.mark.parametrize("silver", [row((0, 12)), row((0, 5), (8, 2), (0, 5))])
def test_what_silver_lacks_stays_unlabelled(silver) -> None:
    gold, markers = row((5, 4), (0, 8)), row((0, 1), (1, 1), (0, 3), (2, 4), (0, 3))
    assert_array_equal(fill_in(gold, markers, silver), gold)  # none, or only half of the marker


def test_unknown_pixels_of_silver_are_no_object() -> None:
    gold = np.array([[1, 1, 0, 0, 0, 0]], np.int32)
    markers = np.array([[0, 7, 0, 9, 9, 9]], np.int32)
    silver = np.array([[3, 3, 0, -1, 4, 4]], np.int32)
    assert fill_in(gold, markers, silver).tolist() == [[1, 1, 0, 0, 2, 2]]
    unknown = np.array([[3, 3, 0, -1, -1, 4]], np.int32)
    assert fill_in(gold, markers, unknown).tolist() == gold.tolist()
