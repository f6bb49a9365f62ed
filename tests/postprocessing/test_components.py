import numpy as np
import pytest
import torch

from unet_exp.postprocessing.components import Components


def test_hand_drawn(draw, stacked) -> None:
    probabilities = stacked(draw("999.9 9.9.9 999.. ..... 99..9"), 0.1)
    assert (Components()(probabilities).numpy() == draw("111.2 111.2 111.. ..... 33..4")).all()
    assert (
        Components(fill_holes=False)(probabilities).numpy() == draw("111.2 1.1.2 111.. ..... 33..4")
    ).all()
    assert (Components(min_size=3)(probabilities).max()) == 1


def test_threshold_is_exceeded_not_met(draw, stacked) -> None:
    probabilities = stacked(np.array([[0.5, 0.75, 0.25]]))
    assert Components()(probabilities).tolist() == [[0, 1, 0]]
    assert Components(threshold=0.25)(probabilities).tolist() == [[1, 1, 0]]


def test_foreground_is_all_but_the_first_class() -> None:
    probabilities = torch.tensor([[[0.4, 0.8]], [[0.3, 0.1]], [[0.3, 0.1]]])
    assert Components()(probabilities).tolist() == [[1, 0]]


def test_connectivity(draw, stacked) -> None:
    probabilities = stacked(draw("1. .1"))
    assert Components()(probabilities).max() == 2
    assert Components(connectivity=2)(probabilities).max() == 1


def test_grow_closes_the_border_between_two_cells(draw, stacked) -> None:
    probabilities = stacked(draw("11.11 11.11 11.11"))
    grown = Components(grow=1)(probabilities)
    assert grown.unique().tolist() == [1, 2]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_precisions(dtype: torch.dtype, draw, stacked) -> None:
    found = Components()(stacked(draw("1.1")).to(dtype))
    assert found.dtype == torch.int32
    assert found.tolist() == [[1, 0, 2]]


def test_empty_and_full(stacked) -> None:
    assert Components()(stacked(np.zeros((4, 5)))).max() == 0
    assert Components()(stacked(np.ones((4, 5)))).unique().tolist() == [1]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"threshold": 1.01}, "threshold=1.01 is out of range"),
        ({"threshold": float("nan")}, "threshold=nan is out of range"),
        ({"min_size": -1}, "min_size=-1 is out of range"),
        ({"grow": -3}, "grow=-3 is out of range"),
        ({"connectivity": 4}, "connectivity=4 is neither 1"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Components(**parameters)
