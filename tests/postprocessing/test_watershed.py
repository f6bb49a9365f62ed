import pickle
from dataclasses import fields

import cv2
import numpy as np
import pytest
import torch

from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.watershed import Watershed


def test_hand_drawn_pass_between_two_peaks(draw, stacked) -> None:
    # The lowest point between the peaks, 6, is where they meet; the last object is not certain.
    probabilities = stacked(draw("9987678999.77"), 0.1)
    labels = Watershed(shape=0, smoothing=0)(probabilities)
    assert labels[0, :4].tolist() == [1, 1, 1, 1]
    assert labels[0, 5:].tolist() == [2, 2, 2, 2, 2, 0, 0, 0]
    assert labels[0, 4] in (1, 2)
    assert Watershed(shape=0, smoothing=0, contrast=0.35)(probabilities).max() == 1


def test_nothing_certain_no_foreground_and_all_foreground(stacked) -> None:
    assert Watershed()(stacked(np.full((5, 6), 0.7))).max() == 0
    assert Watershed()(stacked(np.zeros((5, 6)))).max() == 0
    assert Watershed()(stacked(np.ones((5, 6)))).unique().tolist() == [1]


def test_shape_cuts_a_neck(stacked) -> None:
    image = np.zeros((40, 80), np.uint8)
    cv2.circle(image, (20, 20), 15, 1, -1)
    cv2.circle(image, (58, 20), 15, 1, -1)
    cv2.rectangle(image, (20, 18), (58, 22), 1, -1)
    assert Components()(stacked(image)).max() == 1
    assert Watershed(shape=0)(stacked(image)).max() == 1
    cut = Watershed()(stacked(image))
    assert cut.max() == 2
    assert len({int(cut[20, 20]), int(cut[20, 58])}) == 2
    assert torch.equal(cut > 0, torch.from_numpy(image > 0))


def test_a_speck_in_a_cell_is_no_cell_of_its_own(stacked) -> None:
    cell = np.zeros((30, 30), np.float32)
    cv2.circle(cell, (15, 15), 10, 0.85, -1)
    grains = np.random.default_rng(0).uniform(-0.12, 0.12, cell.shape).astype(np.float32)
    assert Watershed()(stacked(cell + grains * (cell > 0))).max() == 1
    assert Watershed(smoothing=0, contrast=0)(stacked(cell + grains * (cell > 0))).max() > 20


def test_small_objects_are_removed(draw, stacked) -> None:
    probabilities = stacked(draw("999.9....99999"), 0.1)
    assert Watershed(smoothing=0)(probabilities).max() == 3
    assert Watershed(smoothing=0, min_size=3)(probabilities).max() == 2


def test_holes_are_filled(draw, stacked) -> None:
    probabilities = stacked(draw("...... .9999. .9..9. .9999. ......"), 0.1)
    filled = Watershed(seed_threshold=0.7)(probabilities)
    assert (filled[1:4, 1:5] == 1).all()
    assert (Watershed(seed_threshold=0.7, fill_holes=False)(probabilities)[2, 2:4] == 0).all()


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"seed_threshold": 1.2}, "seed_threshold=1.2 is out of range"),
        ({"threshold": -0.1}, "threshold=-0.1 is out of range"),
        ({"contrast": -0.1}, "contrast=-0.1 is out of range"),
        ({"shape": -2.0}, "shape=-2.0 is out of range"),
        ({"smoothing": -1.0}, "smoothing=-1.0 is out of range"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Watershed(**parameters)  # pyright: ignore[reportArgumentType]


def test_a_height_gives_seeds_and_passes_in_place_of_the_foreground(draw, stacked) -> None:
    inside = stacked(draw("999999999"), 0.1)
    height = torch.from_numpy(draw("2.8818832")).float()[None] / 10
    evidence = torch.cat([inside, height])
    labels = Watershed(seed_threshold=0.4, height=2, shape=0, smoothing=0)(evidence)
    assert labels[0, :4].tolist() == [1, 1, 1, 1]
    assert labels[0, 5:].tolist() == [2, 2, 2, 2]
    assert Watershed(shape=0, smoothing=0)(evidence).max() == 1


def test_evidence_without_the_height_is_refused(stacked) -> None:
    with pytest.raises(ValueError, match=r"height=2, but the evidence has the channels 0 to 1"):
        Watershed(height=2)(stacked(np.ones((2, 2))))


def test_smoothing_joins_hills_that_noise_has_cut(draw, stacked) -> None:
    probabilities = stacked(draw("..9999996999999.."), 0.1)
    assert Watershed(shape=0, smoothing=0)(probabilities).max() == 2
    assert Watershed(shape=0, smoothing=1.0)(probabilities).max() == 1


CHANGED = {
    "threshold": 0.3, "seed_threshold": 0.6, "contrast": 0.4, "shape": 1.5, "smoothing": 1.0,
    "min_size": 9, "fill_holes": False, "grow": 2, "height": 2, "fit": False,
}  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in fields(Watershed)])
def test_all_parameters_that_change_the_first_step_are_listed(name: str) -> None:
    first, second = torch.rand((2, 40, 40), generator=torch.Generator().manual_seed(0))
    evidence = torch.stack([1 - first, first, second])
    usual, other = Watershed(), Watershed(**{name: CHANGED[name]})
    same = pickle.dumps(usual.prepare(evidence)) == pickle.dumps(other.prepare(evidence))
    assert same == (usual.preparation == other.preparation)
