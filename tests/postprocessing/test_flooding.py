import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import watershed as reference

from unet_exp.connectivity import label_components
from unet_exp.postprocessing.flooding import flooded, nearness


def hills(seed: int, shape: tuple[int, int] = (60, 70)) -> np.ndarray:
    field = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal(shape), (0, 0), 3)
    return (1 / (1 + np.exp(-40 * field))).astype(np.float32)


def test_a_flood_takes_the_highest_pass_not_the_nearest_seed(draw) -> None:
    height = draw("9.9 6.8 688").astype(np.float32)
    # The corner at the left is a step from seed 1 over 6, but both 6s lie below it.
    labels = flooded(height, draw("1.2 ... ..."), height > 0)
    assert (labels == draw("1.2 1.2 222")).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.6, 0.95))
def test_equals_scikit_image(seed: int, seed_threshold: float) -> None:
    height = hills(seed)
    seeds, mask = label_components(height > seed_threshold), height > 0.4
    expected = reference(-height, seeds, mask=mask, connectivity=1)
    found = flooded(height, seeds, mask)
    assert ((found > 0) == (expected > 0)).all()
    # A pixel lower than neighbours of two regions belongs to either.
    assert (found == expected).mean() > 0.995


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_each_instance_holds_its_seed_and_stays_in_the_foreground(seed: int) -> None:
    height = hills(seed)
    found = flooded(height, seeds := label_components(height > 0.8), height > 0.5)
    assert (found[seeds > 0] == seeds[seeds > 0]).all()
    assert (height[found > 0] > 0.5).all()
    for k in range(1, found.max() + 1):
        assert label_components(found == k).max() == 1, "an instance lies in two pieces"


def test_a_plateau_is_shared_by_nearness(draw) -> None:
    height = np.ones((1, 10), np.float32)
    assert (flooded(height, draw("1........2"), height > 0) == draw("1111122222")).all()


def test_nearness_is_counted_within_the_mask(draw) -> None:
    # Along the arm the far end is 6 steps from the seed, not 2 as the crow flies.
    mask = draw("111 1.. 111") > 0
    sources = draw("..1 ... ...") > 0
    assert (nearness(sources, mask) == draw("567 4.. 321")).all()


def test_a_plateau_is_shared_along_the_object_not_across_the_background(draw) -> None:
    mask = draw("1111111 ......1 1111111") > 0
    seeds = draw("1...... ....... 2......")
    shared = flooded(mask.astype(np.float32), seeds, mask)
    assert (shared[0] == 1).all()
    assert (shared[2] == 2).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_a_connected_part_is_flooded_as_if_alone(seed: int, levels: int) -> None:
    # Few levels make many equal heights, whose order must not come from elsewhere.
    height = np.round(hills(seed, (30, 40)) * levels) / np.float32(levels)
    mask, seeds = height > 0.1, label_components(height > 0.9)
    together = flooded(height, seeds, mask)
    parts = label_components(mask)
    for part in range(1, parts.max() + 1):
        y, x = (slice(i.min(), i.max() + 1) for i in np.nonzero(parts == part))
        alone = parts[y, x] == part
        found = flooded(height[y, x].copy(), seeds[y, x] * alone, alone)
        assert (found[alone] == together[y, x][alone]).all()
