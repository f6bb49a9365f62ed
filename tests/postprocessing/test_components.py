import numpy as np
import pytest
import torch

from unet_exp.postprocessing.components import components


def test_hand_drawn(draw, stacked) -> None:
    probabilities = stacked(draw("999.9 9.9.9 999.. ..... 99..9"), 0.1)
    assert (components(probabilities).numpy() == draw("111.2 111.2 111.. ..... 33..4")).all()
    assert (
        components(probabilities, fill_holes=False).numpy() == draw("111.2 1.1.2 111.. ..... 33..4")
    ).all()
    assert (components(probabilities, min_size=3).max()) == 1


def test_threshold_is_exceeded_not_met(draw, stacked) -> None:
    probabilities = stacked(np.array([[0.5, 0.75, 0.25]]))
    assert components(probabilities).tolist() == [[0, 1, 0]]
    assert components(probabilities, threshold=0.25).tolist() == [[1, 1, 0]]


def test_foreground_is_all_but_the_first_class() -> None:
    probabilities = torch.tensor([[[0.4, 0.8]], [[0.3, 0.1]], [[0.3, 0.1]]])
    assert components(probabilities).tolist() == [[1, 0]]


def test_connectivity(draw, stacked) -> None:
    probabilities = stacked(draw("1. .1"))
    assert components(probabilities).max() == 2
    assert components(probabilities, connectivity=2).max() == 1


def test_grow_closes_the_border_between_two_cells(draw, stacked) -> None:
    probabilities = stacked(draw("11.11 11.11 11.11"))
    grown = components(probabilities, grow=1)
    assert grown.unique().tolist() == [1, 2]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_precisions(dtype: torch.dtype, draw, stacked) -> None:
    found = components(stacked(draw("1.1")).to(dtype))
    assert found.dtype == torch.int32
    assert found.tolist() == [[1, 0, 2]]


def test_empty_and_full(stacked) -> None:
    assert components(stacked(np.zeros((4, 5)))).max() == 0
    assert components(stacked(np.ones((4, 5)))).unique().tolist() == [1]
