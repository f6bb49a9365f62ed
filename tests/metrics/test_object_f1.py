import math

import pytest
import torch
from hypothesis import given, settings
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.object_f1 import ObjectF1, object_f1

panoptic_quality = pytest.importorskip("cellseg_metrics").panoptic_quality


@settings(deadline=None, max_examples=40)
@given(label_pairs())
def test_equals_the_detection_quality_of_cellseg_metrics(images: tuple[Tensor, Tensor]) -> None:
    for iou in (0.5, 0.7):
        expected = panoptic_quality(images[1].numpy(), images[0].numpy(), iou - 1e-6)["dq"]
        assert object_f1(*images, iou=iou).item() == pytest.approx(expected, abs=1e-6)


def test_precision_and_recall_of_all_objects(draw) -> None:
    metric = ObjectF1()
    metric.update(draw("111.2.3"), draw("1111..."))
    metric.update(draw("12"), draw("12"))
    assert metric.details() == pytest.approx({"precision": 3 / 5, "recall": 3 / 3})
    assert metric.compute().item() == pytest.approx(2 * 3 / 8)


def test_perfect_permuted_empty_one(mosaic, draw) -> None:
    truth = mosaic(3)
    assert object_f1(truth, truth) == object_f1(torch.where(truth > 0, 99 - truth, 0), truth) == 1
    assert object_f1(torch.zeros_like(truth), truth) == object_f1(draw("11"), draw("..")) == 0
    assert math.isnan(object_f1(draw("."), draw(".")))
    assert object_f1(draw("2"), draw("1")) == 1
    metric = ObjectF1()
    metric.update(draw(".."), draw("11"))
    assert math.isnan(metric.details()["precision"])
    assert metric.details()["recall"] == 0


def test_a_level_below_one_half_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0\.3\]"):
        ObjectF1(0.3)
