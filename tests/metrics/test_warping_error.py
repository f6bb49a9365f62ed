import math

import numpy as np
import pytest
import torch
from torch import Tensor

from unet_exp.metrics.warping_error import WarpingError, remaining_errors, warping_error

TRUTH = """
    .............
    .1111...1111.
    .1111...1111.
    .1111...1111.
    ............."""
DRAWN = {
    # name: prediction, wrong pixels of splits, of mergers, of other errors
    "perfect": (TRUTH, 0, 0, 0),
    "shifted border": (
        """
        .............
        1111...11111.
        1111..11111..
        11111.1.11111
        .............""",
        0,
        0,
        0,
    ),
    "thin": (
        """
        .............
        .............
        .1111....1...
        .............
        .............""",
        0,
        0,
        0,
    ),
    "split": (
        """
        .............
        .11.1...1111.
        .11.1...1111.
        .11.1...1111.
        .............""",
        1,
        0,
        0,
    ),
    "merge": (
        """
        .............
        .1111...1111.
        .11111111111.
        .1111...1111.
        .............""",
        0,
        1,
        0,
    ),
    "hole": (
        """
        .............
        .1111...1111.
        .1.11...1111.
        .1111...1111.
        .............""",
        0,
        0,
        1,
    ),
    "missed": (
        """
        .............
        .1111........
        .1111........
        .1111........
        .............""",
        0,
        0,
        1,
    ),
    "made up": (
        """
        .............
        .1111...1111.
        .1111...1111.
        .1111...1111.
        ......1......""",
        0,
        0,
        1,
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_hand_drawn(name: str, draw) -> None:
    picture, splits, mergers, others = DRAWN[name]
    prediction, truth = draw(picture) > 0, draw(TRUTH)
    assert remaining_errors(prediction.float(), truth) == (splits, mergers, others)
    only, every = (warping_error(prediction, truth, flag).item() for flag in (True, False))
    assert only == pytest.approx((splits + mergers) / 65)
    assert every == pytest.approx((splits + mergers + others) / 65)


def test_a_cut_costs_what_still_joins_and_a_missed_membrane_all_that_parts(draw) -> None:
    truth = draw("..... 11111 11111 11111 .....")
    cut = draw("..... 11.11 11.11 11.11 .....") > 0
    assert remaining_errors(cut.float(), truth) == (1, 0, 0)  # the bar thins to a bridge
    merged = draw("11111 11111 11111 11111")
    apart = draw("11.11 11.11 11.11 11.11")
    assert remaining_errors((merged > 0).float(), apart) == (0, 4, 0)


def test_unknown_pixels_are_not_counted_and_hide_what_is_predicted(draw) -> None:
    truth = draw("11.11 11?11 11.11")
    bridged, apart = draw("11.11 11111 11.11") > 0, draw("11.11 11.11 11.11") > 0
    assert warping_error(bridged, truth) == warping_error(apart, truth) == 0
    assert math.isnan(warping_error(bridged, torch.full_like(truth, -1)))


def test_the_curve_and_its_best(draw, stacked) -> None:
    metric = WarpingError([0.3, 0.5, 0.7])
    inside = torch.tensor([[0.0] * 5, [0.9, 0.9, 0.4, 0.9, 0.9], [0.0] * 5])
    metric.update(stacked(inside), draw("..... 11.11 ....."))  # merged below 0.4
    inside = torch.tensor([[0.0] * 5, [0.9, 0.9, 0.6, 0.9, 0.9], [0.0] * 5])
    metric.update(stacked(inside), draw("..... 11111 ....."))  # split above 0.6
    assert metric.merge_curve().tolist() == pytest.approx([1 / 30, 0, 0])
    assert metric.split_curve().tolist() == pytest.approx([0, 0, 1 / 30])
    assert metric.curve().tolist() == pytest.approx([1 / 30, 0, 1 / 30])
    assert metric.compute() == 0
    assert metric.details() == {"threshold": 0.5, "split": 0, "merge": 0, "other": 0}


def test_all_errors_as_jain_counts_them(draw, stacked) -> None:
    truth = draw("..... ..... .....")
    new: Tensor = (draw("..... ..1.. .....") > 0).float()
    some, every = WarpingError([0.5]), WarpingError([0.5], splits_and_mergers=False)
    some.update(stacked(new), truth)
    every.update(stacked(new), truth)
    assert some.compute() == 0
    assert every.compute().item() == pytest.approx(1 / 15)
    assert every.details()["other"] == pytest.approx(1 / 15)


def test_a_radius_that_sees_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="radius=0 sees no neighbour"):
        WarpingError(radius=0)
    assert WarpingError(radius=None).radius is None


def test_a_moved_border_costs_nothing_whatever_its_shape(mosaic) -> None:
    truth = (mosaic(3, gap=3) > 0).long()
    probabilities = np.random.default_rng(0).random(truth.shape)
    # Thinner and thicker membranes, as long as no cell is lost and no two of them meet.
    for gap in (1, 2):
        moved = torch.from_numpy((mosaic(3, gap=gap) > 0).numpy() * (0.5 + probabilities / 2))
        assert remaining_errors(moved.float(), truth, 0.3)[:2] == (0, 0)
