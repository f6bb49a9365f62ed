import math

import pytest
import torch
from hypothesis import given, settings
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.panoptic_quality import PanopticQuality, panoptic_quality

other = pytest.importorskip("cellseg_metrics").panoptic_quality


@settings(deadline=None, max_examples=40)
@given(label_pairs())
def test_equals_the_panoptic_quality_of_cellseg_metrics(images: tuple[Tensor, Tensor]) -> None:
    expected = other(images[1].numpy(), images[0].numpy(), 0.5)["pq"]
    assert panoptic_quality(*images).item() == pytest.approx(expected, abs=1e-6)


def test_counts_the_objects_of_all_images(draw) -> None:
    metric = PanopticQuality()
    metric.update(draw("111.2.3"), draw("1111..."))  # an IoU of 3/4, and two false objects
    metric.update(draw("12"), draw("12"))
    assert metric.compute().item() == pytest.approx((0.75 + 1 + 1) / (3 + 2 / 2))
    assert metric.details() == pytest.approx(
        {"segmentation_quality": 2.75 / 3, "recognition_quality": 3 / 4}
    )


def test_half_of_the_union_is_no_match(draw) -> None:
    assert panoptic_quality(draw("12"), draw("11")) == 0


def test_perfect_permuted_empty_one(mosaic, draw) -> None:
    truth = mosaic(3)
    permuted = torch.where(truth > 0, 99 - truth, 0)
    assert panoptic_quality(truth, truth) == panoptic_quality(permuted, truth) == 1
    assert panoptic_quality(torch.zeros_like(truth), truth) == 0
    assert math.isnan(panoptic_quality(draw("."), draw(".")))
