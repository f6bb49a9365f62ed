import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from skimage.metrics import adapted_rand_error
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.contingency import contingency
from unet_exp.metrics.v_rand import rand_scores, v_rand


def from_skimage(predicted: np.ndarray, truth: np.ndarray) -> float:
    """scikit-image counts pairs of two different pixels, the article's p_ij^2 all pairs."""
    fscore = 1 - adapted_rand_error(truth, predicted, ignore_labels=(0,))[0]
    inside = truth > 0
    n = inside.sum()
    squares = sum(
        (np.bincount(image[inside]).astype(float) ** 2).sum() for image in (predicted, truth)
    )
    different = fscore * (squares - 2 * n) / 2
    return 2 * (different + n) / squares


@pytest.mark.parametrize("seed", range(8))
def test_equals_scikit_image_on_mosaics(seed: int, mosaic) -> None:
    truth, predicted = mosaic(seed, gap=seed % 3), mosaic(seed // 2 + 100, count=5 + 3 * seed)
    assert v_rand(predicted, truth).item() == pytest.approx(
        from_skimage(predicted.numpy(), truth.numpy()), abs=1e-12
    )


@pytest.mark.parametrize("regions", [2, 3, 40, 900])
def test_equals_scikit_image_on_noise(regions: int) -> None:
    predicted, truth = np.random.default_rng(regions).integers(0, regions, (2, 31, 29))
    assert v_rand(torch.from_numpy(predicted), torch.from_numpy(truth)).item() == pytest.approx(
        from_skimage(predicted, truth), abs=1e-12
    )


@settings(deadline=None, max_examples=40)
@given(label_pairs())
def test_equals_scikit_image_split_and_merge_apart(images: tuple[Tensor, Tensor]) -> None:
    predicted, truth = (image.numpy() for image in images)
    n = (truth > 0).sum()
    squares_s, squares_t = (
        (np.bincount(image[truth > 0]).astype(float) ** 2).sum() for image in (predicted, truth)
    )
    with np.errstate(invalid="ignore"):  # 0 / 0 where no two pixels belong together
        _, first, second = adapted_rand_error(truth, predicted, ignore_labels=(0,))
    # What it calls precision is the recall, and the reverse (its issue 6485); its pairs are of
    # two different pixels, so n of the article's are missing above and below.
    split = (np.nan_to_num(first) * (squares_t - n) + n) / squares_t
    merge = (np.nan_to_num(second) * (squares_s - n) + n) / squares_s
    assert rand_scores(contingency(*images))[1:] == pytest.approx((split, merge))


def test_a_merge_and_a_split(draw) -> None:
    truth = draw("1111.2222")
    # Merged: 16 + 16 pairs right of 64 predicted, of 32 true.
    assert rand_scores(contingency(draw("333333333"), truth))[1:] == (1.0, 0.5)
    # Split in halves: 4 * 4 pairs right of 16 predicted, of 32 true.
    assert rand_scores(contingency(draw("1122.3344"), truth))[1:] == (0.5, 1.0)
    assert v_rand(draw("1122.3344"), truth).item() == pytest.approx(2 / 3)


def test_background_is_one_region_or_single_pixels(draw) -> None:
    truth, predicted = draw("1111"), draw("11..")
    assert v_rand(predicted, truth).item() == pytest.approx(2 * 8 / (8 + 16))
    assert v_rand(predicted, truth, singletons=True).item() == pytest.approx(2 * 6 / (6 + 16))


def test_invariances(mosaic) -> None:
    truth = mosaic(3)
    permuted = torch.randperm(int(truth.max()) + 1, generator=torch.Generator().manual_seed(0))
    assert v_rand(truth, truth).item() == 1
    assert v_rand(permuted[truth.long()], truth).item() == 1
    beyond = torch.where(truth == 0, 99, truth)  # what lies outside true objects is not scored
    assert v_rand(beyond, truth).item() == 1


def test_empty_truth_empty_prediction_one_object(draw) -> None:
    assert math.isnan(v_rand(draw("12"), draw("..")))
    assert v_rand(draw("...."), draw("1122")).item() == pytest.approx(2 / 3)
    assert v_rand(draw("...."), draw("1122"), singletons=True).item() == pytest.approx(2 * 4 / 12)
    assert v_rand(draw("111"), draw("111")).item() == 1


def test_unknown_pixels_are_left_out(draw) -> None:
    assert v_rand(draw("1111222"), draw("1111??2")).item() == 1
