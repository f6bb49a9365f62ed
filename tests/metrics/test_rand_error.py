import math
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from skimage.metrics import adapted_rand_error
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.contingency import contingency
from unet_exp.metrics.rand_error import RandError, pairs, rand_error


@settings(deadline=None, max_examples=40)
@given(label_pairs())
def test_equals_scikit_image_on_single_background_pixels(
    images: tuple[Tensor, Tensor],
) -> None:
    predicted, truth = (image.numpy() for image in images)
    alone = predicted.max() + 1 + np.arange(predicted.size).reshape(predicted.shape)
    with np.errstate(invalid="ignore"):  # 0 / 0 where no two pixels belong together
        error, first, second = adapted_rand_error(
            truth, np.where(predicted > 0, predicted, alone), ignore_labels=(0,)
        )
    assert rand_error(*images).item() == pytest.approx(error, nan_ok=True)
    shared, of_predicted, of_true = pairs(contingency(*images))
    if of_predicted and of_true:
        # What scikit-image returns as precision is the recall, and the reverse (its issue 6485).
        assert first == pytest.approx(shared / of_true)
        assert second == pytest.approx(shared / of_predicted)


def test_pairs_counted_one_by_one(draw) -> None:
    predicted, truth = draw("11.22 1.222 33..4"), draw("11122 .1222 .3344")
    pixels = [p for p in np.ndindex(3, 5) if truth[p] > 0]
    within = [
        [(image[a] == image[b] and image[a] > 0).item() for a, b in combinations(pixels, 2)]
        for image in (predicted, truth)
    ]
    both = sum(p and t for p, t in zip(*within, strict=True))
    ordered = [2 * n for n in (both, sum(within[0]), sum(within[1]))]
    assert list(pairs(contingency(predicted, truth))) == ordered
    assert rand_error(predicted, truth).item() == pytest.approx(
        1 - 2 * ordered[0] / (ordered[1] + ordered[2])
    )


def test_perfect_permuted_merged_split_empty(draw) -> None:
    truth = draw("111.222")
    assert rand_error(draw("111.222"), truth).item() == 0
    assert rand_error(draw("999.444"), truth).item() == 0
    assert rand_error(draw("1111111"), truth).item() == pytest.approx(1 - 2 * 12 / (30 + 12))
    assert rand_error(draw("1.1.222"), truth).item() == pytest.approx(1 - 2 * 8 / (8 + 12))
    assert rand_error(draw("......."), truth).item() == 1
    assert math.isnan(rand_error(draw("11"), draw("..")))
    assert rand_error(draw("22"), draw("11")).item() == 0


def test_borders_are_not_thinned_and_pairs_of_all_images_count_together(draw, stacked) -> None:
    metric = RandError([0.5])
    metric.update(stacked(torch.tensor([[0.9, 0.9, 0.1, 0.9]])), draw("1111"))
    metric.update(stacked(torch.tensor([[0.9, 0.9]])), draw("11"))
    # True pairs 12 + 2, together in the prediction 2 + 0 and 2.
    assert metric.compute().item() == pytest.approx(1 - 2 * 4 / (4 + 14))
    assert metric.details() == pytest.approx({"threshold": 0.5, "split": 4 / 14, "merge": 1})


def test_the_best_threshold_is_that_of_the_least_error(draw, stacked) -> None:
    metric = RandError()
    metric.update(stacked(torch.tensor([[0.9, 0.9, 0.45, 0.9, 0.9]])), draw("11.22"))
    assert metric.best_threshold() == 0.5
    assert metric.curve()[[0, 4, 5]].tolist() == pytest.approx([0.5, 0.5, 0])
    assert metric.merge_curve()[[0, 5]].tolist() == pytest.approx([1 / 3 * 4 / 4, 1])
