import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy.stats import entropy
from skimage.metrics import variation_of_information
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.contingency import contingency
from unet_exp.metrics.v_info import VInfo, information_scores, v_info
from unet_exp.metrics.v_rand import VRand


def from_skimage(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """V_info, split and merge from the two conditional entropies of scikit-image, in bits."""
    inside = truth > 0
    s_given_t, t_given_s = variation_of_information(truth, predicted, ignore_labels=(0,))
    h_s, h_t = (entropy(np.bincount(image[inside]), base=2) for image in (predicted, truth))
    assert h_t - t_given_s == pytest.approx(h_s - s_given_t)
    shared = h_t - t_given_s
    return 2 * shared / (h_s + h_t), shared / h_s, shared / h_t


@pytest.mark.parametrize("seed", range(8))
def test_equals_scikit_image_on_mosaics(seed: int, mosaic) -> None:
    truth, predicted = mosaic(seed, gap=seed % 3), mosaic(seed // 2 + 100, count=5 + 3 * seed)
    score, split, merge = from_skimage(predicted.numpy(), truth.numpy())
    assert v_info(predicted, truth).item() == pytest.approx(score, abs=1e-12)
    assert information_scores(contingency(predicted, truth))[1:] == pytest.approx(
        (split, merge), abs=1e-12
    )


@pytest.mark.parametrize("regions", [3, 40, 900])
def test_equals_scikit_image_on_noise(regions: int) -> None:
    predicted, truth = np.random.default_rng(regions).integers(0, regions, (2, 31, 29))
    score = v_info(torch.from_numpy(predicted), torch.from_numpy(truth))
    assert score.item() == pytest.approx(from_skimage(predicted, truth)[0], abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(label_pairs())
def test_equals_scikit_image_split_and_merge_apart(images: tuple[Tensor, Tensor]) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):  # by 0 where nothing is to be told apart
        expected = from_skimage(*(image.numpy() for image in images))
    found = (v_info(*images).item(), *information_scores(contingency(*images))[1:])
    assert found == pytest.approx(np.where(np.isfinite(expected), expected, 1), abs=1e-9)


def test_single_pixels_are_regions_numbered_apart(mosaic) -> None:
    truth, predicted = mosaic(0), mosaic(1, gap=2)
    apart = torch.where(predicted > 0, predicted, 1000 + torch.arange(1600).reshape(40, 40))
    assert v_info(predicted, truth, singletons=True).item() == pytest.approx(
        v_info(apart, truth).item()
    )


def test_splits_and_mergers(draw) -> None:
    truth = draw("1111.2222")
    assert information_scores(contingency(draw("111111111"), truth))[1:] == (1.0, 0.0)
    assert information_scores(contingency(draw("1122.3344"), truth))[1:] == pytest.approx(
        (0.5, 1.0)
    )
    assert v_info(draw("1122.3344"), truth).item() == pytest.approx(2 / 3)


def test_invariances(mosaic) -> None:
    truth = mosaic(3)
    permuted = torch.randperm(int(truth.max()) + 1, generator=torch.Generator().manual_seed(0))
    assert v_info(truth, truth).item() == 1
    assert v_info(permuted[truth.long()], truth).item() == pytest.approx(1, abs=1e-12)
    assert v_info(torch.where(truth == 0, 99, truth), truth).item() == 1


def test_empty_truth_empty_prediction_one_object(draw) -> None:
    assert math.isnan(v_info(draw("12"), draw("..")))
    assert v_info(draw("...."), draw("1122")).item() == 0
    assert v_info(draw("2222"), draw("1111")).item() == 1
    assert v_info(draw("2233"), draw("1111")).item() == 0


def test_unknown_pixels_are_left_out(draw) -> None:
    assert v_info(draw("1111222"), draw("1111??2")).item() == 1


def test_the_two_measures_rank_a_worse_map_lower(mosaic, stacked) -> None:
    truth = mosaic(7, gap=2)
    noise = torch.rand(truth.shape, generator=torch.Generator().manual_seed(0))
    for measure in (VRand, VInfo):
        good, bad = measure(), measure()
        good.update(stacked(0.7 * (truth > 0) + 0.3 * noise), truth)
        bad.update(stacked(0.2 * (truth > 0) + 0.8 * noise), truth)
        assert good.compute() > 0.99
        assert bad.compute() < 0.9
