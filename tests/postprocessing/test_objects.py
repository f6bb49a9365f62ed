import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import remove_small_objects

from unet_exp.connectivity import label_components
from unet_exp.postprocessing import objects
from unet_exp.postprocessing.objects import filled, smoothed, without_gaps, without_small


def random_mask(seed: int, share: float = 0.6) -> np.ndarray:
    return np.random.default_rng(seed).random((14, 17)) < share


def test_holes_hand_drawn(draw) -> None:
    mask = draw("1111.111 1..1.1.1 1.1..1.. 1111.111") > 0
    # The first hole is closed but for a corner; the second opens to the edge of the image.
    assert (filled(mask, 1) == (draw("1111.111 1..1.1.1 1.1..1.. 1111.111") > 0)).all()
    assert (filled(mask, 2) == (draw("1111.111 1111.1.1 111..1.. 1111.111") > 0)).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_filled_equals_scipy(seed: int, share: float) -> None:
    mask = random_mask(seed, share)
    # scipy's structure joins the background: by corners where sides join the foreground.
    for connectivity in (1, 2):
        structure = ndimage.generate_binary_structure(2, 3 - connectivity)
        assert (filled(mask, connectivity) == ndimage.binary_fill_holes(mask, structure)).all()


def test_small_objects_hand_drawn(draw) -> None:
    labels = draw("1.22.3 1.2..3 ...... 4.5555")
    assert (without_small(labels, 0) == labels).all()
    assert (without_small(labels, 3) == draw("..11.. ..1... ...... ..2222")).all()
    assert without_small(labels, 9).max() == 0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_without_small_equals_scikit_image(seed: int, size: int) -> None:
    labels = label_components(random_mask(seed))
    found = without_small(labels, size)
    kept = remove_small_objects(labels, max_size=size - 1)
    assert ((found > 0) == (kept > 0)).all()
    assert sorted(np.unique(found)) == list(range(found.max() + 1)), "numbers have gaps"
    assert len({*zip(found.ravel(), kept.ravel(), strict=True)}) == found.max() + 1 + (
        0 if (found == 0).any() else -1
    )


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 2), st.integers(1, 300))
def test_smoothed_repeats_the_mean_over_neighbours_bit_by_bit(
    seed: int, std: float, cached: int
) -> None:
    mask = random_mask(seed)
    values = np.random.default_rng(seed).normal(size=mask.shape).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "CACHED", cached)
        found = smoothed(values, mask, std)
    expected = np.where(mask, values, np.float32(0))
    counts = sum(neighbourhood(mask.astype(np.float32)))
    for _ in range(round(std**2 * 2.5)):
        total = np.zeros_like(expected)
        for shifted in neighbourhood(expected):
            total = total + shifted
        expected = total * (mask / np.maximum(counts, 1))
    np.testing.assert_array_equal(found, expected)
    columns_first = smoothed(np.asfortranarray(values), np.asfortranarray(mask), std)
    np.testing.assert_array_equal(columns_first, expected)


def neighbourhood(values: np.ndarray) -> list[np.ndarray]:
    """Each pixel, and its neighbours above, below, left and right; 0 beyond the edge."""
    padded, (height, width) = np.pad(values, 1), values.shape
    corners = (1, 1), (0, 1), (2, 1), (1, 0), (1, 2)
    return [padded[row : row + height, column : column + width] for row, column in corners]


def test_gaps_are_assigned_to_the_nearest_object(draw) -> None:
    labels = draw("111.222 111.222 111.222 ....... ......." + " ......." * 3)
    grown = without_gaps(labels, 1)
    assert (grown[:2, :3] == 1).all()
    assert (grown[:2, 4:] == 2).all()
    assert set(grown[:2, 3]) <= {1, 2}
    assert (grown[3:] == 0).all(), "an outline next to open background moved"


def test_a_gap_wider_than_the_reach_stays_open(draw) -> None:
    labels = draw("11....22 11....22 11....22")
    assert (without_gaps(labels, 1) == labels).all()
    assert (without_gaps(labels, 2) == draw("11112222 11112222 11112222")).all()


def test_no_object_and_no_reach(draw) -> None:
    assert without_gaps(draw("...."), 3).max() == 0
    assert (without_gaps(draw("1.2"), 0) == draw("1.2")).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_growing_merges_nothing_and_takes_nothing(seed: int, reach: int) -> None:
    field = cv2.GaussianBlur(np.random.default_rng(seed).random((40, 40)), (0, 0), 2)
    labels = label_components(field > 0.52)
    grown = without_gaps(labels, reach)
    assert (grown[labels > 0] == labels[labels > 0]).all()
    assert set(np.unique(grown)) <= set(np.unique(labels))
    added = (grown > 0) & (labels == 0)
    distances = np.sort([chessboard(labels == one) for one in range(1, labels.max() + 1)], axis=0)
    assert (distances[0][added] <= reach).all()
    assert (distances[:2].sum(0)[added] <= 2 * reach + 1).all(), "this is no gap between two"


def chessboard(mask: np.ndarray) -> np.ndarray:
    """Distance to a mask in rows or columns, whichever are more."""
    return np.asarray(ndimage.distance_transform_cdt(~mask, "chessboard"))


def test_bays_and_holes_of_one_object_stay(draw) -> None:
    labels = draw(
        """
        .............
        .11111...222.
        .1...1...222.
        .1.111...222.
        .1.1.1...222.
        .1.1.1...222.
        .............
        """
    )
    assert (without_gaps(labels, 1) == labels).all()


def test_a_gap_that_opens_is_filled_up_to_its_end(draw) -> None:
    labels = draw(
        """
        ..............
        ..............
        ..1111..2222..
        ..1111..2222..
        ..111....222..
        ..11......22..
        ..............
        """
    )
    expected = draw(
        """
        ..............
        ..............
        ..1111122222..
        ..1111122222..
        ..111....222..
        ..11......22..
        ..............
        """
    )
    assert (without_gaps(labels, 1) == expected).all()
