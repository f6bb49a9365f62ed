import cv2
import numpy as np
import pytest
import torch

from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.watershed import Watershed


def test_hand_drawn_pass_between_two_seeds(draw, stacked) -> None:
    # The lowest point between the seeds, 6, is where they meet; the last object has no seed.
    probabilities = stacked(draw("9987678999.77"), 0.1)
    labels = Watershed(seed_threshold=0.85)(probabilities)
    assert labels[0, :4].tolist() == [1, 1, 1, 1]
    assert labels[0, 5:].tolist() == [2, 2, 2, 2, 2, 0, 0, 0]
    assert labels[0, 4] in (1, 2)


def test_no_seed_no_foreground_and_only_seeds(stacked) -> None:
    assert Watershed()(stacked(np.full((5, 6), 0.7))).max() == 0
    assert Watershed()(stacked(np.zeros((5, 6)))).max() == 0
    assert Watershed()(stacked(np.ones((5, 6)))).unique().tolist() == [1]


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
        ({"seed_threshold": 1.2}, "seed_threshold=1.2 is out of range"),
        ({"threshold": -0.1}, "threshold=-0.1 is out of range"),
        ({"seed_depth": -2.0}, "seed_depth=-2.0 is out of range"),
        ({"min_seed": -1}, "min_seed=-1 is out of range"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Watershed(**parameters)  # pyright: ignore[reportArgumentType]


def test_a_height_gives_seeds_and_passes_in_place_of_the_foreground(draw, stacked) -> None:
    inside = stacked(draw("999999999"), 0.1)
    height = torch.from_numpy(draw("2.8818832")).float()[None] / 10
    evidence = torch.cat([inside, height])
    labels = Watershed(seed_threshold=0.4, height=2)(evidence)
    assert labels[0, :4].tolist() == [1, 1, 1, 1]
    assert labels[0, 5:].tolist() == [2, 2, 2, 2]
    assert Watershed(seed_threshold=0.85)(evidence).max() == 1


def test_evidence_without_the_height_is_refused(stacked) -> None:
    with pytest.raises(ValueError, match=r"height=2, but the evidence has the channels 0 to 1"):
        Watershed(height=2)(stacked(np.ones((2, 2))))


def test_smoothing_joins_seeds_that_noise_has_cut(draw, stacked) -> None:
    probabilities = stacked(draw("..9999998999999.."), 0.1)
    assert Watershed(seed_threshold=0.85)(probabilities).max() == 2
    assert Watershed(seed_threshold=0.85, smoothing=1.0)(probabilities).max() == 1
