"""IoU, Dice and pixel error, against scikit-learn's definitions written out and torchmetrics."""

import math

import pytest
import torch
from torchmetrics import MetricCollection
from torchmetrics.functional.classification import multiclass_jaccard_index
from torchmetrics.functional.segmentation import dice_score

from unet_exp.metrics.dice import Dice, dice
from unet_exp.metrics.iou import IoU, iou
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.pixel_error import PixelError, pixel_error


def random_pair(classes: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    probabilities = torch.rand(classes, 20, 30, generator=generator).softmax(0)
    return probabilities, torch.randint(-1, classes, (20, 30), generator=generator)


def test_hand_drawn(draw) -> None:
    prediction, target = draw("1111 .... 1111"), draw("1111 1111 ..??")
    assert iou(prediction, target).item() == pytest.approx(4 / 10)
    assert dice(prediction, target).item() == pytest.approx(8 / 14)
    assert pixel_error(prediction, target).item() == pytest.approx(6 / 10)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_iou_equals_torchmetrics(classes: int) -> None:
    probabilities, target = random_pair(classes)
    expected = multiclass_jaccard_index(
        probabilities[None], target[None], classes, average=None, ignore_index=-1
    )
    prediction = probabilities.argmax(0)
    assert iou(prediction, target).item() == pytest.approx(expected[1:].mean().item())
    assert iou(prediction, target, background=True).item() == pytest.approx(expected.mean().item())


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_dice_equals_torchmetrics(classes: int) -> None:
    probabilities, target = random_pair(classes)
    prediction, target = probabilities.argmax(0), target.clamp(min=0)
    for background in (False, True):
        expected = dice_score(
            prediction[None], target[None], classes, background, "macro", input_format="index"
        )
        assert dice(prediction, target, background).item() == pytest.approx(expected.item())


def test_a_class_that_does_not_occur_is_left_out(draw) -> None:
    assert iou(draw("1133"), draw("1133")).item() == 1
    assert math.isnan(iou(draw("..."), draw("...")))
    assert iou(draw("..."), draw("..."), background=True).item() == 1


def test_perfect_and_empty(draw) -> None:
    for measure, perfect, missed in ((iou, 1, 0), (dice, 1, 0), (pixel_error, 0, 0.5)):
        assert measure(draw("11.."), draw("11..")).item() == perfect
        assert measure(draw("...."), draw("11..")).item() == missed
    assert math.isnan(pixel_error(draw("1"), draw("?")))


@pytest.mark.parametrize("metric", [IoU, Dice, PixelError])
def test_shards_add_up_exactly(metric: type[Measure]) -> None:
    whole, shards = metric(), [metric(), metric()]
    for seed in range(5):
        probabilities, target = random_pair(3, seed)
        whole.update(probabilities=probabilities, target=target)
        shards[seed % 2].update(probabilities=probabilities, target=target)
    shards[0].merge_state(shards[1])
    assert shards[0].compute() == whole.compute()


@pytest.mark.parametrize("metric", [IoU, Dice, PixelError])
def test_no_data_is_nan(metric: type[Measure]) -> None:
    empty = metric()
    assert math.isnan(empty.compute())
    empty.update(probabilities=torch.rand(2, 1, 2), target=torch.full((1, 2), -1))
    assert math.isnan(empty.compute())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype: torch.dtype, draw) -> None:
    probabilities = torch.tensor([[[0.2, 0.9]], [[0.8, 0.1]]], dtype=dtype)
    for metric, expected in ((IoU(), 1), (Dice(), 1), (PixelError(), 0), (PixelError([0.5]), 0)):
        metric.update(probabilities=probabilities, target=draw("1."))
        assert metric.compute().item() == expected


def test_pixel_error_at_the_best_threshold(draw, stacked) -> None:
    probabilities, target = stacked(torch.tensor([[0.1, 0.2, 0.3, 0.4]])), draw(".111")
    plain, best = PixelError(), PixelError([0.05, 0.15, 0.25, 0.35])
    plain.update(probabilities, target)
    best.update(probabilities, target)
    assert plain.compute().item() == 0.75
    assert best.errors.tolist() == [1, 0, 1, 2]
    assert best.compute().item() == 0


def test_a_collection_groups_only_what_counts_the_same() -> None:
    collection = MetricCollection({"iou": IoU(), "dice": Dice(), "pixel_error": PixelError()})
    single = {"iou": IoU(), "dice": Dice(), "pixel_error": PixelError()}
    for seed in range(3):
        probabilities, target = random_pair(2, seed)
        collection.update(probabilities=probabilities, target=target, labels=target)
        for metric in single.values():
            metric.update(probabilities=probabilities, target=target)
    assert collection.compute() == {name: metric.compute() for name, metric in single.items()}
