import numpy as np
import pytest

from unet_exp.postprocessing.flow_field import flow_field
from unet_exp.postprocessing.following import (
    LONGEST,
    Sinks,
    find_sinks,
    followed,
    meeting_places,
    without_own_holes,
)


def test_a_path_by_hand() -> None:
    field = np.zeros((2, 3, 6), np.float32)
    field[1, 1] = [1, 0.5, 0.25, 0, 0, 0]
    # From column 0: 0 + 1 = 1, 1 + 0.5 = 1.5, 1.5 + (0.5 + 0.25) / 2 = 1.875.
    for steps, column in ((1, 1), (2, 2), (3, 2)):
        assert followed(field, np.array([[1], [0]]), steps).tolist() == [[1], [column]]
    field[0, 1, 3] = -0.75
    assert followed(field, np.array([[1], [3]]), 1).tolist() == [[0], [3]]


def test_a_field_that_opencv_cannot_take_is_refused() -> None:
    field = np.zeros((2, 1, LONGEST + 1), np.float32)
    with pytest.raises(ValueError, match=r"connected over 32767 pixels.*postprocessing\.threshold"):
        followed(field, np.zeros((2, 1), int), 1)


def ends(*counts: tuple[int, int, int]) -> np.ndarray:
    """``count`` paths that end at row, column."""
    return np.repeat([[r, c] for r, c, _ in counts], [n for *_, n in counts], axis=0).T


def test_many_paths_make_an_object_and_some_join_it() -> None:
    found = meeting_places(ends((3, 3, 11), (3, 4, 3), (3, 5, 2), (8, 8, 10)), (12, 12))
    # 2 paths are too few to join, and 10 too few to make an object.
    assert found[3, 3] == found[3, 4] == 1
    assert np.count_nonzero(found) == 2


def test_the_place_with_more_paths_wins() -> None:
    row = [(5, column, 5) for column in range(3, 10)]
    row[0], row[6] = (5, 3, 20), (5, 9, 40)
    found = meeting_places(ends(*row), (12, 14))[5]
    assert found[3:10].tolist() == [1, 1, 1, 2, 2, 2, 2]


def test_a_place_grows_five_pixels() -> None:
    row = [(5, 3, 20), *((5, column, 3) for column in range(4, 13))]
    assert np.count_nonzero(meeting_places(ends(*row), (12, 14))) == 6


def test_objects_by_error_and_size() -> None:
    labels = np.array([[2, 2, 0, 1, 1, 1, 3, 3, 3]], np.int32)
    sinks = Sinks(labels, np.float32([0.4, 0.0, 0.5]))
    assert sinks.objects(0.4, 0).tolist() == [[1, 1, 0, 2, 2, 2, 0, 0, 0]]
    assert sinks.objects(0.45, 3).tolist() == [[0, 0, 0, 1, 1, 1, 0, 0, 0]]
    assert sinks.objects(4, 4).max() == 0


def test_holes_of_one_object_are_filled_and_those_of_two_are_not() -> None:
    labels = np.zeros((6, 12), np.int32)
    labels[1:5, 1:5], labels[1:5, 6:9], labels[1:5, 9:12] = 7, 1, 2
    labels[2:4, 2:4] = labels[2:4, 8:10] = 0
    labels[2, 11] = 0  # a bay at the edge
    filled = without_own_holes(labels)
    assert (filled[1:5, 1:5] == 7).all()
    assert not filled[2:4, 8:10].any()
    assert filled[2, 11] == 0


def test_the_error_of_an_object_by_hand() -> None:
    mask = np.ones((5, 5), bool)
    still = np.zeros((2, 5, 5), np.float32)
    assert find_sinks(still, mask, mask, 20, fill_holes=True).labels.max() == 0
    # Half of the right flow differs from it by 1/2 in all pixels but the middle one.
    found = find_sinks(flow_field(mask.astype(int)) / 2, mask, mask, 20, fill_holes=True)
    assert (found.labels == 1).all()
    assert found.errors.tolist() == [pytest.approx(24 / 25 * 0.5**2, abs=0.005)]
