import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.segmentation import watershed as reference

from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.objects import labelled
from unet_exp.postprocessing.watershed import Watershed, flooded


def hills(seed: int, shape: tuple[int, int] = (60, 70)) -> np.ndarray:
    field = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal(shape), (0, 0), 3)
    return (1 / (1 + np.exp(-40 * field))).astype(np.float32)


def test_hand_drawn_pass_between_two_seeds(draw, stacked) -> None:
    # The lowest point between the seeds, 6, is where they meet; the last object has no seed.
    probabilities = stacked(draw("9987678999.77"), 0.1)
    labels = Watershed(seed_threshold=0.85)(probabilities)
    assert labels[0, :4].tolist() == [1, 1, 1, 1]
    assert labels[0, 5:].tolist() == [2, 2, 2, 2, 2, 0, 0, 0]
    assert labels[0, 4] in (1, 2)


def test_a_flood_takes_the_highest_pass_not_the_nearest_seed(draw) -> None:
    height = draw("9.9 6.8 688").astype(np.float32)
    # The corner at the left is a step from seed 1 over 6, but both 6s lie below it.
    labels = flooded(height, draw("1.2 ... ..."), height > 0)
    assert (labels == draw("1.2 1.2 222")).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.6, 0.95))
def test_equals_scikit_image(seed: int, seed_threshold: float) -> None:
    height = hills(seed)
    seeds, mask = labelled(height > seed_threshold), height > 0.4
    expected = reference(-height, seeds, mask=mask, connectivity=1)
    found = flooded(height, seeds, mask)
    assert ((found > 0) == (expected > 0)).all()
    # A pixel lower than neighbours of two regions belongs to either.
    assert (found == expected).mean() > 0.995


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_each_instance_holds_its_seed_and_stays_in_the_foreground(seed: int) -> None:
    height = hills(seed)
    found = flooded(height, seeds := labelled(height > 0.8), height > 0.5)
    assert (found[seeds > 0] == seeds[seeds > 0]).all()
    assert (height[found > 0] > 0.5).all()
    for k in range(1, found.max() + 1):
        assert labelled(found == k).max() == 1, "an instance lies in two pieces"


def test_no_seed_no_foreground_and_only_seeds(stacked) -> None:
    assert Watershed()(stacked(np.full((5, 6), 0.7))).max() == 0
    assert Watershed()(stacked(np.zeros((5, 6)))).max() == 0
    assert Watershed()(stacked(np.ones((5, 6)))).unique().tolist() == [1]


def test_a_plateau_is_shared_by_nearness(draw) -> None:
    height = np.ones((1, 10), np.float32)
    assert (flooded(height, draw("1........2"), height > 0) == draw("1111122222")).all()


def test_depth_cuts_a_neck(stacked) -> None:
    image = np.zeros((40, 80), np.uint8)
    cv2.circle(image, (20, 20), 15, 1, -1)
    cv2.circle(image, (58, 20), 15, 1, -1)
    cv2.rectangle(image, (20, 18), (58, 22), 1, -1)
    assert Components()(stacked(image)).max() == 1
    cut = Watershed(seed_depth=6.0)(stacked(image))
    assert cut.max() == 2
    assert len({int(cut[20, 20]), int(cut[20, 58])}) == 2
    assert torch.equal(cut > 0, torch.from_numpy(image > 0))


def test_small_seeds_and_small_objects(draw, stacked) -> None:
    probabilities = stacked(draw("999976779....96"), 0.1)
    assert Watershed(seed_threshold=0.85)(probabilities).max() == 3
    assert Watershed(seed_threshold=0.85, min_seed=2)(probabilities).max() == 1
    assert Watershed(seed_threshold=0.85, min_size=3)(probabilities).max() == 2


def test_holes_are_filled_and_flooded(draw, stacked) -> None:
    probabilities = stacked(draw("...... .9999. .9..9. .9999. ......"), 0.1)
    filled = Watershed(seed_threshold=0.85)(probabilities)
    assert (filled[1:4, 1:5] == 1).all()
    assert (Watershed(seed_threshold=0.85, fill_holes=False)(probabilities)[2, 2:4] == 0).all()


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"seed_threshold": 0.3}, "seed_threshold=0.3 is below threshold=0.5"),
        ({"seed_threshold": 1.2}, "seed_threshold=1.2 is no probability"),
        ({"threshold": -0.1}, "threshold=-0.1 is no probability"),
        ({"seed_depth": -2.0}, "seed_depth=-2.0 is negative"),
        ({"min_seed": -1}, "min_seed=-1 is negative"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Watershed(**parameters)  # pyright: ignore[reportArgumentType]
