"""The description of a fitted postprocessing, and the score of the fit."""

import math

import pytest
import torch
from torch import Tensor
from torchmetrics import Metric

from unet_exp.inference.tuning import Tuning
from unet_exp.metrics.average_precision import AveragePrecision
from unet_exp.metrics.panoptic_quality import PanopticQuality
from unet_exp.metrics.pixel_error import PixelError
from unet_exp.metrics.seg import SEG
from unet_exp.training.tuned_postprocessing import (
    TunedPostprocessing,
    measures_of_instances,
    score_of_instances,
)


@pytest.mark.parametrize(
    ("held_out", "higher", "warned"),
    [(0.6, True, False), (0.4, True, True), (0.4, False, False), (math.nan, True, True)],
)
def test_a_gain_that_new_images_may_lack_is_reported(
    held_out: float, higher: bool, warned: bool
) -> None:
    tuning = Tuning(
        None,
        {"threshold": 0.4},
        before=0.5,
        after=0.7,
        held_out=held_out,
        left_out=[None] * 3,
        tried=9,
    )
    told = TunedPostprocessing("seg", higher, 3, tuning, {}).report()
    assert any("new images may gain nothing" in line for line in told) == warned


def test_the_fit_prefers_two_inexact_objects_to_a_merged_one() -> None:
    """Unlike average precision at a high IoU."""
    others = torch.arange(3, 11).repeat_interleave(2)  # eight exact objects
    true = torch.cat([torch.tensor([1] * 10 + [2] * 7 + [0] * 17), others])[None]
    merged = torch.cat([torch.tensor([1] * 17 + [0] * 17), others])[None]  # an IoU of 10/17
    inexact = torch.cat([torch.tensor([1] * 10 + [2] * 7 + [1] * 6 + [2] * 5 + [0] * 6), others])
    quality = measures_of_instances({})[score_of_instances({}, None)]
    precision = AveragePrecision([0.9])
    assert scored(quality, merged, true) == pytest.approx((8 + 10 / 17) / (9 + 1 / 2))
    assert scored(quality, inexact[None], true) == pytest.approx((8 + 10 / 16 + 7 / 12) / 10)
    assert scored(precision, merged, true) == pytest.approx(8 / 11)
    assert scored(precision, inexact[None], true) == pytest.approx(8 / 12)


def scored(measure: Metric, instances: Tensor, labels: Tensor) -> float:
    measure.reset()
    measure.update(instances=instances, labels=labels)
    return measure.compute().item()


def test_scores_that_need_instances_alone_can_be_fitted_to() -> None:
    metrics = {"seg": SEG(), "pixel_error": PixelError()}
    assert set(measures_of_instances(metrics)) == {"panoptic_quality", "average_precision", "seg"}
    assert score_of_instances(metrics, "seg") == "seg"
    assert score_of_instances(metrics, "pixel_error") == "panoptic_quality"


def test_a_metric_of_pixels_may_have_the_name_of_the_default_score() -> None:
    measures = measures_of_instances({"panoptic_quality": PixelError()})
    assert isinstance(measures[score_of_instances({}, None)], PanopticQuality)
