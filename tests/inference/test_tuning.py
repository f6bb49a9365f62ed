import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unet_exp.inference.tuning import SAMPLE, tune
from unet_exp.metrics.seg import SEG
from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.none import ClassMap
from unet_exp.postprocessing.watershed import Watershed

Case = tuple[Tensor, Tensor]


def case(foreground: Tensor, labels: Tensor) -> Case:
    return torch.stack([1 - foreground, foreground]), labels


def pair(between: float, dust: bool = False) -> Case:
    """Two squares of 10 x 10 pixels, sure by 0.85, with a bridge and perhaps dust."""
    labels = torch.zeros(12, 40, dtype=torch.int32)
    labels[1:11, 1:11], labels[1:11, 13:23] = 1, 2
    foreground = torch.where(labels > 0, 0.85, 0.0)
    foreground[5, 11:13] = between
    if dust:
        foreground[2:10:3, 30:38:3] = 1.0
    return case(foreground, labels)


class Dusty(SEG):
    """SEG minus a tenth for each object too many, so that dust costs something."""

    surplus: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_sums("surplus")

    def update(self, instances: Tensor, labels: Tensor) -> None:
        super().update(instances, labels)
        self.surplus += (instances.max() - labels.max()).clip(0)

    def compute(self) -> Tensor:
        return super().compute() - 0.1 * self.surplus


def test_the_threshold_that_splits_a_pair_is_found() -> None:
    # Above 0.6 the bridge falls, above 0.85 the squares do.
    found = tune(Components(), [pair(0.6)], SEG())
    assert found.chosen == {"threshold": 0.7}
    assert found.postprocessing == Components(threshold=0.7)
    # Of the 202 pixels of the merged pair each square has 100.
    assert found.before == pytest.approx(100 / 202)
    assert found.after == 1
    assert math.isnan(found.held_out)


def test_dust_is_removed_by_size() -> None:
    found = tune(Components(threshold=0.7), [pair(0.6, dust=True)], Dusty())
    # Nine specks of one pixel; the squares have 100.
    assert found.before == pytest.approx(1 - 9 * 0.1)
    assert found.after == 1
    assert list(found.chosen) == ["min_size"]
    assert 1 < found.chosen["min_size"] <= 100


def test_one_parameter_after_another() -> None:
    found = tune(Components(), [pair(0.6, dust=True)], Dusty())
    assert found.after == 1
    assert set(found.chosen) == {"threshold", "min_size"}


def test_each_image_is_scored_by_what_the_others_chose() -> None:
    # Two ask for a threshold above 0.6; the third is seen only below 0.3, and asks for 0.2.
    labels = torch.zeros(12, 40, dtype=torch.int32)
    labels[1:11, 1:11] = 1
    faint = case(torch.where(labels > 0, 0.3, 0.0), labels)
    found = tune(Components(), [pair(0.6), pair(0.6), faint], SEG())
    assert found.chosen == {"threshold": 0.7}
    assert found.after == pytest.approx(4 / 5)
    # Without one of the pairs the rest holds two squares against one, and chooses 0.7 still.
    assert found.held_out == pytest.approx(4 / 5)
    two = tune(Components(), [pair(0.6), faint], SEG())
    # Now each alone chooses what merges the pair, or finds nothing in the other.
    merged = 2 * 100 / 202 / 3
    assert (two.before, two.after, two.held_out) == pytest.approx((merged, 2 / 3, merged))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(
        [Components(), Components(threshold=0.9, grow=2), Watershed(), Watershed(0.4, 0.4)]
    ),
)
def test_the_result_is_never_worse(seed: int, postprocessing: Any) -> None:
    random = np.random.default_rng(seed)
    foreground = torch.from_numpy(random.random((8, 9), np.float32))
    labels = torch.from_numpy(random.integers(0, 4, (8, 9), np.int32))
    found = tune(postprocessing, [case(foreground, labels)], SEG())
    assert found.after >= found.before
    measure = SEG()
    measure.update(found.postprocessing(case(foreground, labels)[0]), labels)
    assert float(measure.compute()) == found.after
    for name, value in found.chosen.items():
        assert getattr(found.postprocessing, name) == value != getattr(postprocessing, name)


class Wrong(SEG):
    """1 - SEG: lower is better."""

    higher_is_better = False

    def compute(self) -> Tensor:
        return 1 - super().compute()


def test_a_measure_that_is_better_when_lower() -> None:
    found = tune(Components(), [pair(0.6)], Wrong())
    assert found.before == pytest.approx(102 / 202)
    assert found.after == 0
    assert found.chosen == {"threshold": 0.7}


def test_combinations_that_are_refused_are_left_out() -> None:
    class Refusing(Components):
        def __post_init__(self) -> None:
            if self.fill_holes != (self.threshold <= 0.5):
                raise ValueError("not both")

    # Each step away from the start is refused.
    found = tune(Refusing(), [pair(0.6)], SEG())
    assert found.chosen == {}
    assert found.after == found.before


def test_each_set_of_parameters_is_tried_once() -> None:
    seen = []

    class Counting(Components):
        def __call__(self, probabilities: Tensor) -> Tensor:
            seen.append((self, float(probabilities[1].sum())))
            return super().__call__(probabilities)

    told = []
    found = tune(Counting(), [pair(0.6), pair(0.3)], SEG(), progress=told.append)
    assert len(seen) == len(set(seen))
    assert told == list(range(1, found.tried + 1))


def test_the_slow_step_of_the_watershed_is_shared() -> None:
    taken = []

    class Counting(Watershed):
        def prepare(self, probabilities: Tensor) -> Any:
            taken.append(self.preparation)
            return super().prepare(probabilities)

    cases = [pair(0.6, dust=True), pair(0.3)]
    found = tune(Counting(shape=0.0, smoothing=0.0), cases, Dusty())
    assert len(taken) < len(cases) * found.tried
    score = Dusty()
    for probabilities, labels in cases:
        score.update(found.postprocessing(probabilities), labels)
    assert found.after == pytest.approx(float(score.compute()))
    assert found.after > found.before


def test_nothing_to_fit() -> None:
    found = tune(ClassMap(), [pair(0.6), pair(0.6)], SEG())
    assert (found.chosen, found.tried) == ({}, 1)
    assert found.before == found.after == found.held_out


def test_no_object_at_all_is_no_gain() -> None:
    empty = case(torch.zeros(4, 5), torch.zeros(4, 5, dtype=torch.int32))
    found = tune(Components(), [empty], SEG())
    assert found.chosen == {}
    assert math.isnan(found.before)
    assert math.isnan(found.after)


def test_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="no labelled image"):
        tune(Components(), [], SEG())


def narrow_pair() -> Case:
    """Two squares that only a threshold from 0.62 to 0.68 tells apart."""
    probabilities, labels = pair(0.62)
    return case(torch.where(probabilities[1] == 0.85, 0.68, probabilities[1]), labels)


def test_of_many_images_a_sample_tries_all_values_and_all_images_their_neighbours() -> None:
    seen = []

    class Counting(Components):
        def __call__(self, probabilities: Tensor) -> Tensor:
            seen.append(self)
            return super().__call__(probabilities)

    many = [narrow_pair()] * (2 * SAMPLE + 1)
    found = tune(Counting(threshold=0.6), many, SEG())
    assert found.chosen == {"threshold": 0.65}
    assert found.after == found.held_out == 1
    assert {seen.count(one) for one in seen} == {11, len(many)}
    # Nowhere else is a value halfway between those that are offered.
    assert tune(Components(threshold=0.6), many[:SAMPLE], SEG()).chosen == {}


def test_values_that_are_good_only_for_the_sample_are_not_chosen() -> None:
    # Every third image is in the sample.
    odd = [pair(0.0), pair(0.0), pair(0.6)] * SAMPLE
    odd = [case(p[1].clip(max=0.65), labels) for p, labels in odd[1:]]
    odd[::3] = [pair(0.6)] * len(odd[::3])
    found = tune(Components(), odd, SEG())
    assert found.after >= found.before
    assert found.chosen == {"threshold": 0.6}


def test_held_parameters_keep_their_value() -> None:
    found = tune(Components(), [pair(0.6, dust=True)], Dusty(), held=["threshold"])
    assert set(found.chosen) == {"min_size"}
