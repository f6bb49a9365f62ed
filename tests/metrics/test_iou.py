import math

import pytest
from torchmetrics.functional.classification import multiclass_jaccard_index

from unet_exp.metrics.iou import IoU, iou


def test_hand_drawn(draw) -> None:
    assert iou(draw("1111 .... 1111"), draw("1111 1111 ..??")).item() == pytest.approx(4 / 10)


def test_perfect_empty_prediction_empty_truth(draw) -> None:
    assert iou(draw("11.."), draw("11..")).item() == 1
    assert iou(draw("...."), draw("11..")).item() == 0
    assert iou(draw("11.."), draw("....")).item() == 0
    assert math.isnan(iou(draw("..."), draw("...")))
    assert iou(draw("..."), draw("..."), background=True).item() == 1


def test_a_class_that_does_not_occur_is_left_out(draw) -> None:
    assert iou(draw("1133"), draw("1133")).item() == 1


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_equals_torchmetrics(classes: int, random_pair) -> None:
    probabilities, truth = random_pair(classes)
    expected = multiclass_jaccard_index(
        probabilities[None], truth[None], classes, average=None, ignore_index=-1
    )
    prediction = probabilities.argmax(0)
    assert iou(prediction, truth).item() == pytest.approx(expected[1:].mean().item())
    assert iou(prediction, truth, background=True).item() == pytest.approx(expected.mean().item())


def test_pixels_of_all_images_count_together(draw, stacked) -> None:
    metric = IoU()
    metric.update(stacked(draw("1111").float()), draw("111."))
    metric.update(stacked(draw("1").float()), draw("."))
    assert metric.compute().item() == pytest.approx(3 / 5)
