import math

import numpy as np
import pytest
import torch
from skimage.metrics import adapted_rand_error
from torchmetrics import MetricCollection

from unet_exp.metrics.v_rand import VRand, v_rand, v_rand_split_merge


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


def test_a_merge_and_a_split(draw) -> None:
    truth = draw("1111.2222")
    # Merged: 16 + 16 pairs right of 64 predicted, of 32 true.
    assert v_rand_split_merge(draw("333333333"), truth) == (1.0, 0.5)
    # Split in halves: 4 * 4 pairs right of 16 predicted, of 32 true.
    assert v_rand_split_merge(draw("1122.3344"), truth) == (0.5, 1.0)
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


def test_sweep_takes_the_best_threshold_of_the_mean(draw, stacked) -> None:
    truth = draw("11.22")
    first = torch.tensor([[0.9, 0.9, 0.35, 0.9, 0.9]])  # falls apart above 0.35
    second = torch.tensor([[0.6, 0.6, 0.15, 0.6, 0.6]])  # is gone above 0.6
    metric = VRand()
    for foreground in (first, second):
        metric.update(stacked(foreground), truth)
    # Merged: 2 * 8 / (16 + 8) = 2/3; empty: single pixels, 2 * 4 / (4 + 8) = 2/3.
    expected = [2 / 3, 2 / 3, 5 / 6, 5 / 6, 1, 1, 5 / 6, 5 / 6, 5 / 6, 1 / 3 + 1 / 3]
    assert metric.curve().tolist() == pytest.approx(expected)
    assert metric.compute().item() == 1
    assert metric.best_threshold() == 0.4


def test_membrane_inside_a_cell_costs_less_once_thinned(draw, stacked) -> None:
    truth = draw("1111111 1111111 1111111 1111111 1111111")
    foreground = (draw("11...11 11...11 11...11 11...11 11...11") > 0).float()
    thick, thin = VRand([0.5], thin_borders=False), VRand([0.5])
    thick.update(stacked(foreground), truth)
    thin.update(stacked(foreground), truth)
    assert thick.compute().item() == pytest.approx(2 * (100 + 100 + 225) / (425 + 1225))
    assert thin.compute().item() == pytest.approx(2 * (225 + 225 + 5) / (455 + 1225))


@pytest.mark.parametrize("seed", range(4))
def test_unthinned_sweep_is_scikit_image_on_components(seed: int, mosaic, stacked) -> None:
    from skimage.measure import label

    truth = mosaic(seed, gap=1)
    noise = torch.rand(truth.shape, generator=torch.Generator().manual_seed(seed))
    foreground = 0.6 * (truth > 0) + 0.4 * noise
    expected = [
        from_skimage(label((foreground > t / 10).numpy(), connectivity=1), truth.numpy())
        for t in range(10)
    ]
    metric = VRand(thin_borders=False)
    metric.update(stacked(foreground), truth)
    assert metric.curve().tolist() == pytest.approx(expected, abs=1e-6)
    assert metric.compute().item() == pytest.approx(max(expected), abs=1e-6)


def test_two_shards_add_up_to_one(mosaic, stacked) -> None:
    whole, shards = VRand(), [VRand(), VRand()]
    for seed in range(5):
        truth = mosaic(seed)
        foreground = torch.rand(truth.shape, generator=torch.Generator().manual_seed(seed))
        whole.update(stacked(foreground), truth)
        shards[seed % 2].update(stacked(foreground), truth)
    shards[0].merge_state(shards[1])
    assert torch.allclose(shards[0].curve(), whole.curve(), rtol=1e-6)
    assert shards[0].images == whole.images == 5


def test_no_data_is_nan_and_an_image_without_truth_counts_for_nothing(draw, stacked) -> None:
    metric = VRand()
    assert math.isnan(metric.compute())
    metric.update(stacked(torch.rand(1, 3)), draw("??."))
    assert math.isnan(metric.compute())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_precisions(dtype: torch.dtype, draw, stacked) -> None:
    metric = VRand()
    metric.update(stacked(torch.tensor([[0.9, 0.1, 0.9]])).to(dtype), draw("1.2"))
    assert metric.compute().item() == 1


def test_a_collection_passes_each_metric_its_own(draw, stacked) -> None:
    collection = MetricCollection({"v_rand": VRand()})
    collection.update(
        probabilities=stacked(torch.tensor([[0.9, 0.1, 0.9]])),
        target=draw("1.1"),
        labels=draw("1.2"),
        instances=draw("1.2"),
    )
    assert collection.compute()["v_rand"].item() == 1


@pytest.mark.parametrize("thresholds", [[], [0.5, 1.0], [-0.1]])
def test_thresholds_that_cut_nothing_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="does not cut a probability"):
        VRand(thresholds)
