import math

import pytest
import torch
from hypothesis import given, settings
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.average_precision import LEVELS, AveragePrecision, average_precision

panoptic_quality = pytest.importorskip("cellseg_metrics").panoptic_quality


def test_the_levels_of_the_data_science_bowl() -> None:
    assert LEVELS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@settings(deadline=None, max_examples=40)
@given(label_pairs())
def test_follows_from_the_f1_of_cellseg_metrics(images: tuple[Tensor, Tensor]) -> None:
    found = average_precision(*images).tolist()
    for level, ap in zip(LEVELS, found, strict=True):
        # It matches above a level, not at it.
        f1 = panoptic_quality(images[1].numpy(), images[0].numpy(), level - 1e-6)["dq"]
        assert ap == pytest.approx(f1 / (2 - f1), abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(label_pairs())
def test_equals_stardist(images: tuple[Tensor, Tensor]) -> None:
    reason = "stardist, with numba, is larger than all other tools of the tests together"
    matching = pytest.importorskip("stardist.matching", reason=reason).matching
    expected = matching(images[1].numpy(), images[0].numpy(), thresh=LEVELS)
    assert average_precision(*images).tolist() == pytest.approx([m.accuracy for m in expected])


def test_hand_drawn(draw) -> None:
    truth = draw("1111.2222.33")
    predicted = draw("111..2222444")  # of IoU 3/4, 1, and 2/3
    ap = dict(zip(LEVELS, average_precision(predicted, truth).tolist(), strict=True))
    assert ap[0.65] == 1
    assert ap[0.7] == ap[0.75] == pytest.approx(2 / 4)
    assert ap[0.8] == ap[0.95] == pytest.approx(1 / 5)


def test_perfect_permuted_empty_one(mosaic, draw) -> None:
    truth = mosaic(3)
    permuted = torch.where(truth > 0, 100 - truth, 0)
    assert average_precision(truth, truth).tolist() == [1] * 10
    assert average_precision(permuted, truth).tolist() == [1] * 10
    assert average_precision(torch.zeros_like(truth), truth).tolist() == [0] * 10
    assert average_precision(draw("11"), draw("..")).tolist() == [0] * 10
    assert average_precision(draw("7"), draw("1")).tolist() == [1] * 10
    assert all(map(math.isnan, average_precision(draw("."), draw("."))))


def test_objects_of_all_images_count_together(draw) -> None:
    metric = AveragePrecision([0.5, 0.9])
    metric.update(draw("111.2"), draw("1111."))
    metric.update(draw("123"), draw("123"))
    # At 0.5: 4 of 5 predicted and 4 true; at 0.9: 3.
    assert metric.details() == pytest.approx({"ap_50": 4 / 5, "ap_90": 3 / 6})
    assert metric.compute().item() == pytest.approx((4 / 5 + 3 / 6) / 2)
