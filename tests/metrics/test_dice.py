import math

import pytest
from torchmetrics.functional.segmentation import dice_score

from unet_exp.metrics.dice import Dice, dice
from unet_exp.metrics.iou import iou


def test_hand_drawn(draw) -> None:
    assert dice(draw("1111 .... 1111"), draw("1111 1111 ..??")).item() == pytest.approx(8 / 14)


def test_perfect_empty_prediction_empty_truth(draw) -> None:
    assert dice(draw("11.."), draw("11..")).item() == 1
    assert dice(draw("...."), draw("11..")).item() == 0
    assert math.isnan(dice(draw("..."), draw("...")))


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_equals_torchmetrics(classes: int, random_pair) -> None:
    probabilities, truth = random_pair(classes)
    prediction, truth = probabilities.argmax(0), truth.clamp(min=0)
    for background in (False, True):
        expected = dice_score(
            prediction[None], truth[None], classes, background, "macro", input_format="index"
        )
        assert dice(prediction, truth, background).item() == pytest.approx(expected.item())


def test_of_two_classes_it_follows_from_iou(random_pair) -> None:
    probabilities, truth = random_pair(2)
    j = iou(probabilities.argmax(0), truth)
    assert dice(probabilities.argmax(0), truth).item() == pytest.approx((2 * j / (1 + j)).item())


def test_pixels_of_all_images_count_together(draw, stacked) -> None:
    metric = Dice()
    metric.update(stacked(draw("1111").float()), draw("111."))
    metric.update(stacked(draw("1").float()), draw("."))
    assert metric.compute().item() == pytest.approx(6 / 8)
