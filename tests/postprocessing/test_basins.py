import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import generate_binary_structure
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed as reference

from unet_exp.connectivity import label_components
from unet_exp.postprocessing.basins import ascending, find_basins


def hills(seed: int, shape: tuple[int, int] = (60, 70)) -> np.ndarray:
    field = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal(shape), (0, 0), 3)
    return (1 / (1 + np.exp(-40 * field))).astype(np.float32)


def objects(height: np.ndarray, mask: np.ndarray, contrast: float, least: float = 0) -> np.ndarray:
    return find_basins(height, height, mask).joined(contrast, least)


@pytest.mark.parametrize(
    ("contrast", "expected"), [(0.5, [1, 2, 3, 4]), (1.5, [1, 2, 2, 3]), (3.5, [1, 1, 1, 2])]
)
def test_hills_of_low_contrast_are_joined(draw, contrast: float, expected: list[int]) -> None:
    # Peaks of 9, 7 and 8 with passes of 5 and 6 between them, and one behind a gap.
    height = draw("95768.7").astype(np.float32)
    assert objects(height, height > 0, contrast)[0, ::2].tolist() == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.02, 0.1, 0.3]))
def test_equals_the_h_maxima_and_the_watershed_of_scikit_image(seed: int, contrast: float) -> None:
    height = hills(seed)
    mask = height > 0.4
    ground, cross = np.where(mask, height, 0), generate_binary_structure(2, 1)
    tops = reconstruction(np.maximum(ground - contrast, 0), ground, footprint=cross)
    seeds = label(local_maxima(tops, connectivity=1) & mask, connectivity=1)
    expected = reference(-height, seeds, mask=mask, connectivity=1)
    found = objects(height, mask, contrast)
    assert found.max() == expected.max()
    assert ((found > 0) == (expected > 0)).all()
    pairs = np.unique(np.stack([found[seeds > 0], expected[seeds > 0]]), axis=1)
    assert pairs.shape[1] == found.max(), "each object holds the top of one other"
    # A pixel lower than neighbours of two objects belongs to either.
    partner = np.zeros(found.max() + 1, np.int32)
    partner[pairs[0]] = pairs[1]
    assert (partner[found] == expected).mean() > 0.99


def test_uncertain_hills_are_joined_to_their_neighbour_or_removed(draw) -> None:
    height = draw("959.6").astype(np.float32)
    certainty = draw("928.3").astype(np.float32)
    basins = find_basins(height, certainty, height > 0)
    assert basins.joined(contrast=1, least=8).tolist() == [[1, 1, 1, 0, 0]]


def test_objects_are_numbered_by_their_first_pixels(draw) -> None:
    height = draw("12.3 99..").astype(np.float32)
    assert (objects(height, height > 0, 0.5) == draw("11.2 11..")).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 50), st.integers(1, 1000))
def test_the_order_is_that_of_a_stable_sort(seed: int, count: int, steps: int) -> None:
    values = np.random.default_rng(seed).normal(size=count)
    values = (np.round(values * steps) / steps).astype(np.float32)  # with equal ones, and -0.0
    np.testing.assert_array_equal(ascending(values), np.argsort(values, kind="stable"))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_passes_are_those_that_join_basins_when_the_water_falls(seed: int, levels: int) -> None:
    height = np.round(hills(seed, (12, 15)) * levels) / np.float32(levels)
    basins = find_basins(height, height, height > 0)
    rank = np.empty(height.size, int)
    rank[np.argsort(height.ravel(), kind="stable")] = np.arange(height.size)
    rank, numbers = rank.reshape(height.shape), np.arange(height.size).reshape(height.shape)
    sides = [(numbers[:, :-1], numbers[:, 1:]), (numbers[:-1], numbers[1:])]
    pairs = [(a, b) for one, other in sides for a, b in zip(one.flat, other.flat, strict=True)]
    owner, found = basins.labels.ravel() - 1, []
    joined = np.arange(len(basins.height))
    for a, b in sorted(pairs, key=lambda pair: sorted(rank.flat[list(pair)]), reverse=True):
        one, other = owner[a], owner[b]
        if min(one, other) >= 0 and joined[one] != joined[other]:
            joined[joined == joined[one]] = joined[other]
            found.append((min(one, other), max(one, other), min(height.flat[a], height.flat[b])))
    passes = np.sort(basins.passes, axis=1).tolist()
    assert [(*pair, level) for pair, level in zip(passes, basins.level, strict=True)] == found


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([0, 0.3]))
def test_a_connected_part_is_divided_as_if_alone(seed: int, levels: int, contrast: float) -> None:
    # Few levels make many equal heights, whose order must not come from elsewhere.
    height = np.round(hills(seed, (30, 40)) * levels) / np.float32(levels)
    mask = height > 0.1
    together, parts = objects(height, mask, contrast), label_components(mask)
    for part in range(1, parts.max() + 1):
        y, x = (slice(i.min(), i.max() + 1) for i in np.nonzero(parts == part))
        alone = parts[y, x] == part
        found = objects(height[y, x].copy(), alone, contrast)
        pairs = np.unique(np.stack([found[alone], together[y, x][alone]]), axis=1)
        assert pairs.shape[1] == found.max(), "the same objects, in other numbers"


def test_nothing_and_a_plateau() -> None:
    flat = np.ones((5, 6), np.float32)
    assert objects(flat, flat > 1, 0.1).max() == 0
    assert (objects(flat, flat > 0, 0.1) == 1).all()
