import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.det import DET, det


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(frames=st.lists(label_pairs(), min_size=1, max_size=3))
def test_equals_py_ctcmetrics(frames: list[tuple[Tensor, Tensor]], ctcmetrics) -> None:
    metric = DET()
    for result, reference in frames:
        metric.update(result, reference)
    expected = ctcmetrics(frames)
    assert metric.compute().item() == pytest.approx(expected["det"], abs=1e-6)
    details = metric.details()
    assert (details["splits"], details["missed"], details["false"], details["markers"]) == (
        expected["NS"],
        expected["FN"],
        expected["FP"],
        expected["num_vertices"],
    )


def test_hand_drawn(draw) -> None:
    markers = draw("1..2..3..4")
    assert det(draw("555666..77"), markers).item() == pytest.approx(1 - 10 / 40)  # 3 is missed
    assert det(draw("5555..6.77"), markers).item() == pytest.approx(1 - 5 / 40)  # 5 is to split
    assert det(draw("5.66...188"), markers).item() == pytest.approx(1 - 11 / 40)  # 1 is false


def test_it_never_falls_below_zero(draw) -> None:
    assert det(draw("23456789abc."), draw("...........1")).item() == 0


def test_perfect_permuted_empty_one(mosaic, draw) -> None:
    markers = mosaic(3)
    permuted = torch.where(markers > 0, 100 - markers, 0)
    assert det(markers, markers) == det(permuted, markers) == 1
    assert det(torch.zeros_like(markers), markers).item() == 0
    assert math.isnan(det(draw("11"), draw("..")))
    assert det(draw("11"), draw(".3")).item() == 1


def test_unknown_pixels_hold_no_false_object(draw) -> None:
    assert det(draw("11.22"), draw("1..??")).item() == 1
    assert det(draw("11.22"), draw("1....")).item() == pytest.approx(0.9)
