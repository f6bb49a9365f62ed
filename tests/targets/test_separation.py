import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from unet_exp.targets.separation import separate


def patches(seed: int, cells: int, side: int) -> np.ndarray:
    """Cells of a Voronoi diagram, some of them background: much touching, some of it thin."""
    random = np.random.default_rng(seed)
    seeds = np.zeros((side, side), np.int32)
    where = random.choice(side * side, cells, replace=False)
    seeds.flat[where] = random.permutation(cells) + 1
    y, x = ndimage.distance_transform_edt(seeds == 0, return_distances=False, return_indices=True)
    labels = seeds[y, x]
    labels[np.isin(labels, random.choice(cells, cells // 4) + 1)] = 0
    return labels


def test_both_sides_give_way() -> None:
    labels = np.array(
        [
            [1, 1, 1, 2, 2, 2],
            [1, 1, 1, 2, 2, 2],
            [1, 1, 1, 0, 0, 0],
            [0, 0, 0, 3, 3, 3],
            [0, 0, 0, 3, 3, 3],
        ]
    )
    expected = np.array(
        [
            [1, 1, 0, 0, 2, 2],
            [1, 1, 0, 0, 2, 2],
            [1, 1, 0, 0, 0, 0],
            [0, 0, 0, 0, 3, 3],  # 1 and 3 met at a corner
            [0, 0, 0, 3, 3, 3],
        ]
    )
    np.testing.assert_array_equal(separate(labels), expected)


def test_a_gap_of_one_pixel_is_a_border_already() -> None:
    labels = np.array([[1, 1, 0, 2, 2]])
    np.testing.assert_array_equal(separate(labels), labels)
    wider = separate(np.array([[1, 1, 1, 0, 2, 2, 2]]), width=2)
    np.testing.assert_array_equal(wider, [[1, 1, 0, 0, 0, 2, 2]])


def test_a_thin_cell_survives_whole_and_its_neighbours_give_way() -> None:
    labels = np.array([[1, 1, 2, 2, 3, 3]])
    np.testing.assert_array_equal(separate(labels), [[1, 0, 2, 2, 0, 3]])


def test_two_cells_of_one_pixel_both_survive() -> None:
    labels = np.array([[1, 2]])
    np.testing.assert_array_equal(separate(labels), labels)


def test_unknown_pixels_are_no_cell() -> None:
    labels = np.array([[-1, 1, 1, -1, -1, 2]])
    np.testing.assert_array_equal(separate(labels), labels)


def test_the_input_stays_as_it_was() -> None:
    labels = np.array([[1, 1, 2, 2]])
    separate(labels)
    np.testing.assert_array_equal(labels, [[1, 1, 2, 2]])


@given(
    seed=st.integers(0, 10**6),
    cells=st.integers(2, 40),
    side=st.integers(8, 40),
    width=st.integers(1, 2),
)
@settings(deadline=None, max_examples=60)
def test_properties(seed: int, cells: int, side: int, width: int) -> None:
    labels = patches(seed, cells, side)
    apart = separate(labels, width)
    assert set(np.unique(apart)) | {0} == set(np.unique(labels)) | {0}  # none is lost
    assert ((apart == labels) | (apart == 0)).all()
    np.testing.assert_array_equal(separate(apart, width), apart)
    np.testing.assert_array_equal(separate(labels[::-1, ::-1].T, width), apart[::-1, ::-1].T)


def test_large_cells_end_up_apart() -> None:
    labels = patches(5, 12, 100)
    for i in np.unique(labels[labels > 0]):
        assert (ndimage.binary_erosion(labels == i, np.ones((5, 5)))).any()
    apart = separate(labels)
    for i in np.unique(apart[apart > 0]):
        around = apart[ndimage.binary_dilation(apart == i, np.ones((3, 3)))]
        assert set(np.unique(around)) <= {0, i}


def test_labels_that_float32_cannot_tell_apart() -> None:
    labels = np.array([[2**24, 2**24, 2**24 + 1, 2**24 + 1]])
    np.testing.assert_array_equal(separate(labels), [[2**24, 0, 0, 2**24 + 1]])


def test_a_border_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"width = 0.*Raise `width`"):
        separate(np.array([[1, 2]]), width=0)
