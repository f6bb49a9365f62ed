"""The flow of labels, against the article's steps, one object and one step at a time."""

import numpy as np
import pytest
from scipy import ndimage

from unet_exp.postprocessing.flow_field import flow_field


def published(labels: np.ndarray) -> np.ndarray:
    """Methods of the article, in double precision."""
    flow = np.zeros((2, *labels.shape))
    for number in np.unique(labels[labels > 0]):
        mask = np.pad(labels == number, 1)
        y, x = np.nonzero(mask)
        centre = np.argmin((x - np.median(x)) ** 2 + (y - np.median(y)) ** 2)
        heat = np.zeros(mask.shape)
        for _ in range(2 * (np.ptp(x) + np.ptp(y))):
            heat[y[centre], x[centre]] += 1
            heat = ndimage.uniform_filter(heat, 3, mode="constant") * mask
        heat = np.log1p(heat)
        gradient = np.stack([heat[y + 1, x] - heat[y - 1, x], heat[y, x + 1] - heat[y, x - 1]])
        flow[:, y - 1, x - 1] = gradient / np.maximum(np.hypot(*gradient), 1e-300)
    return flow


def cells(side: int, seed: int) -> np.ndarray:
    """Connected cells of a mosaic of random places; some touch each other and the edge."""
    random = np.random.default_rng(seed)
    seeds = np.zeros((side, side), int)
    seeds[tuple(random.integers(0, side, (2, 9)))] = np.arange(1, 10)
    distance, nearest = ndimage.distance_transform_edt(seeds == 0, return_indices=True)
    return np.where(distance < 9, seeds[tuple(nearest)], 0)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_articles(seed: int) -> None:
    labels = cells(50, seed)
    found, expected = flow_field(labels), published(labels)
    # Where the gradient nearly vanishes, single precision decides its direction.
    assert np.mean(np.abs(found - expected)) < 1e-5
    assert np.mean(np.abs(found - expected).max(0) < 1e-3) > 0.999


def test_two_touching_squares() -> None:
    labels = np.zeros((7, 12), int)
    labels[1:6, 1:6], labels[1:6, 6:11] = 1, 2
    down, right = flow_field(labels)
    # Each leads to its own middle, (3, 3) and (3, 8), straight along the axes.
    assert right[3, 1:11].round(5).tolist() == [1, 1, 0, -1, -1, 1, 1, 0, -1, -1]
    assert down[1:6, 3].round(5).tolist() == [1, 1, 0, -1, -1]
    # On a diagonal both are equal, 1 / sqrt(2).
    np.testing.assert_allclose(
        [down[1, 1], right[1, 1], down[5, 10]], [0.7071, 0.7071, -0.7071], atol=1e-4
    )
    assert not down[0].any()
    np.testing.assert_allclose(right[:, 1:6], right[:, 6:11], atol=1e-5)


@pytest.mark.parametrize("height", [3, 7, 21])
def test_the_middle_of_a_symmetric_object_has_no_direction(height: int) -> None:
    """However the sums of its heat are rounded."""
    columns = [np.full(width + 1, width) for width in range(3, 60, 2)]
    labels = np.zeros((height + 2, sum(map(len, columns)) + 1), int)
    labels[1:-1, 1:] = np.concatenate(columns)
    ends = np.cumsum([len(one) for one in columns])
    labels[:, ends] = 0
    middles = ends - [len(one) // 2 for one in columns]
    assert not flow_field(labels)[:, 1 + height // 2, middles].any()


def test_a_ring_flows_along_itself() -> None:
    ring = np.ones((9, 9), int)
    ring[3:6, 3:6] = 0
    down, right = flow_field(ring)
    # The medians are (4, 4), in the hole; the first of the nearest pixels is (2, 4).
    assert right[2, 4] == pytest.approx(0, abs=1e-5)
    assert down[4, 1] < -0.9  # up along both sides
    assert down[4, 7] < -0.9
    assert right[7, 5] > 0.2  # and from below by the nearer side
    assert right[7, 3] < -0.2


def test_a_thin_bent_object_flows_around_its_bend() -> None:
    labels = np.zeros((9, 12), int)
    labels[1, 1:11] = labels[1:8, 1] = 4
    down, right = flow_field(labels)
    # Medians of 16 pixels: row 1, column 2.5. (1, 2) is the first of the two nearest.
    # The pixel in the bend is warmer than that on the other side, so (1, 2) leads there.
    assert right[1, 2:11].tolist() == [-1] * 9
    assert down[3:8, 1].tolist() == [-1] * 5
    assert right[1, 1] > 0  # around the corner
    assert (np.hypot(down, right)[labels > 0] > 0.99).all()


@pytest.mark.parametrize(("width", "length"), [(3, 161), (1, 201), (3, 401)])
def test_the_ends_of_a_long_thin_object_are_not_too_cold(width: int, length: int) -> None:
    labels = np.pad(np.ones((width, length), int), 1)
    right, middle = flow_field(labels)[1], (length + 1) // 2
    row = (width + 1) // 2
    assert right[row, 1 : middle - 1].min() > 0.99
    assert right[row, middle + 2 : length + 1].max() < -0.99


def test_parts_that_do_not_touch_have_their_own_centres() -> None:
    apart = np.zeros((5, 15), int)
    apart[1:4, 1:4] = apart[1:4, 9:12] = 6
    one = np.zeros((5, 15), int)
    one[1:4, 1:4] = 6
    np.testing.assert_allclose(flow_field(apart)[:, :, :7], flow_field(one)[:, :, :7], atol=1e-6)
    assert flow_field(apart)[1, 2, 9] > 0.99


@pytest.mark.parametrize(
    "labels", [np.zeros((4, 5), int), np.full((4, 5), -1), np.eye(5, dtype=int) * np.arange(5)]
)
def test_nothing_and_single_pixels_do_not_flow(labels: np.ndarray) -> None:
    assert not flow_field(labels).any()


def test_one_object_as_large_as_the_image() -> None:
    flow = flow_field(np.ones((8, 6), int))
    assert np.isfinite(flow).all()
    assert (flow[0, 0] > 0).all()
    assert (flow[1, :, 5] < 0).all()
