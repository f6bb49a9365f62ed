import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linear_sum_assignment
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.contingency import contingency
from unet_exp.metrics.object_matching import checked_levels, count_objects, is_found, match_objects


@settings(deadline=None, max_examples=60)
@given(label_pairs())
def test_as_many_as_the_best_assignment(images: tuple[Tensor, Tensor]) -> None:
    predicted, truth = (image.numpy() for image in images)
    levels = (0.5, 0.6, 0.75, 1.0)
    found = match_objects(contingency(*images), levels)
    p, t = (np.unique(image[image > 0]) for image in (predicted, truth))
    ious = np.array(
        [[((predicted == i) & (truth == j)).sum() for j in t] for i in p], float
    ).reshape(len(p), len(t))
    for i, j in np.ndindex(*ious.shape):
        ious[i, j] /= ((predicted == p[i]) | (truth == t[j])).sum()
    expected = [(ious >= v)[linear_sum_assignment(ious < v)].sum() for v in levels]
    assert found.matched.tolist() == expected
    assert (found.predicted, found.true) == (len(p), len(t))


def test_two_halves_of_a_whole_are_one_match(draw) -> None:
    assert match_objects(contingency(draw("1122"), draw("5555")), (0.5,)).matched == [1]
    assert match_objects(contingency(draw("5555"), draw("1122")), (0.5,)).matched == [1]


@pytest.mark.parametrize("levels", [[], [0.4], [0.5, 1.5]])
def test_levels_without_unique_matches_are_refused(levels: list[float]) -> None:
    with pytest.raises(ValueError, match="do not match one to one"):
        checked_levels(levels)


def test_more_than_half_is_found_half_is_not(draw) -> None:
    table = contingency(draw("99.. 88.7"), draw("1112 3333"))
    found = table.truth[is_found(table)], table.predicted[is_found(table)]
    assert [column.tolist() for column in found] == [[1], [9]]


def test_background_is_no_object() -> None:
    assert count_objects(np.array([0, 0])) == 0
    assert count_objects(np.array([], int)) == 0
