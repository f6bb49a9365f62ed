"""The description of a fitted postprocessing, and the score of the fit."""

import math

import pytest

from unet_exp.inference.tuning import Tuning
from unet_exp.training.tuned_postprocessing import TunedPostprocessing


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
