"""Properties that all measures share."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import one_of_several
from tests.label_images import cells, scored_image
from tests.measures import MEASURES, measures
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.utilities import dim_zero_sum

from unet_exp.metrics.border_thinning import label_foreground
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.threshold_sweep import SplitMergeSweep, ThresholdSweep

every = pytest.mark.parametrize("name", MEASURES)
sweeps = [name for name, make in MEASURES.items() if isinstance(make(), ThresholdSweep)]


def scored(name: str, *images: dict[str, Tensor]) -> Measure:
    """A measure that has seen some images."""
    collection = MetricCollection({"m": MEASURES[name]()})
    for image in images:
        collection.update(**image)
    return collection["m"]  # pyright: ignore[reportReturnType]


def predicted(foreground: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return all arguments of an update, for a certain map. The truth is ``labels``."""
    inside = foreground.float()
    return {
        "probabilities": torch.stack([1 - inside, inside]),
        "classes": (labels > 0).long(),
        "labels": labels,
        "markers": labels,
        "instances": label_foreground(foreground, thin_borders=False),
    }


@every
def test_two_shards_add_up_to_one(name: str) -> None:
    images = [scored_image(seed) for seed in range(5)]
    whole, one, other = (
        scored(name, *images),
        scored(name, *images[::2]),
        scored(name, *images[1::2]),
    )
    one.merge_state(other)
    assert one.compute().item() == pytest.approx(whole.compute().item(), rel=1e-6)
    counts = [name for name, zero in whole._defaults.items() if not zero.is_floating_point()]
    assert counts
    for name in counts:
        assert torch.equal(getattr(one, name), getattr(whole, name))


@every
def test_states_are_summed_over_processes(name: str) -> None:
    assert set(MEASURES[name]()._reductions.values()) == {dim_zero_sum}


def test_two_processes_score_what_one_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.one_of_several"]
    processes = [
        subprocess.Popen(
            [*command, str(rank), "2", str(tmp_path / "store")],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    alone = measures()
    for seed in range(one_of_several.IMAGES):
        alone.update(**scored_image(seed))
    for output in map(json.loads, outputs):
        assert output["scores"] == pytest.approx(
            {name: score.item() for name, score in alone.compute().items()}, rel=1e-6
        )
        for name, measure in alone.items():
            assert output["details"][name] == pytest.approx(measure.details(), rel=1e-6)


@every
def test_no_data_is_nan(name: str) -> None:
    metric = MEASURES[name]()
    assert math.isnan(metric.compute())
    assert all(math.isnan(value) or value == 0 for value in metric.details().values())
    unknown = torch.full((40, 40), -1)
    names = ("classes", "labels", "markers")
    metric = scored(name, {**scored_image(0), **dict.fromkeys(names, unknown)})
    assert math.isnan(metric.compute())
    metric = scored(name, scored_image(0))
    metric.reset()
    assert math.isnan(metric.compute())


@every
@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 1000))
def test_a_perfect_map_has_the_perfect_score_whatever_its_numbers(name: str, seed: int) -> None:
    inside = cells(seed) > 0
    labels = label_foreground(inside, thin_borders=False)  # no cell in two pieces
    perfect = 1 if MEASURES[name]().higher_is_better else 0
    assert scored(name, predicted(inside, labels)).compute().item() == perfect
    numbers = torch.randperm(int(labels.max()), generator=torch.Generator().manual_seed(seed)) + 5
    permuted = torch.cat([torch.zeros(1, dtype=torch.long), numbers])[labels.long()]
    assert scored(name, predicted(inside, permuted)).compute().item() == perfect


@every
@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 1000))
def test_scores_lie_in_their_range(name: str, seed: int) -> None:
    metric = scored(name, scored_image(seed, noise=0.9))
    # There may be more false objects than true ones.
    assert 0 <= metric.compute().item() <= (math.inf if name == "object_errors" else 1)
    counts = name in ("det", "object_errors")
    assert all(value >= 0 and (counts or value <= 1) for value in metric.details().values())


@every
def test_an_empty_prediction(name: str) -> None:
    labels = label_foreground(cells(1) > 0, thin_borders=False)
    score = scored(name, predicted(torch.zeros_like(labels) > 0, labels)).compute().item()
    sizes = labels[labels > 0].bincount()[1:].double()
    n, squares = sizes.sum(), (sizes**2).sum()
    entropy = -(sizes / n * (sizes / n).log()).sum()
    expected = {
        "pixel_error": n / labels.numel(),
        "pixel_error_f_score": 1,
        # Once thinned, each pixel is a region of its own.
        "v_rand": 2 * n / (squares + n),
        "v_info": 2 * entropy / (n.log() + entropy),
        "rand_error": 1,
        "warping_error": 0,  # no object is split, none are merged
        "warping_error_all": len(sizes) / labels.numel(),  # each shrinks to a pixel
        "object_errors": 1,  # all are missed
    }.get(name, 0)
    assert score == pytest.approx(float(expected))


@every
def test_an_empty_truth_is_not_scored_or_all_wrong(name: str) -> None:
    labels = label_foreground(cells(1) > 0, thin_borders=False)
    metric = scored(name, predicted(labels > 0, torch.zeros_like(labels)))
    expected = {
        "pixel_error": (labels > 0).float().mean().item(),
        "pixel_error_f_score": 1,
        "iou": 0,
        "dice": 0,
        "warping_error": 0,  # nothing to split or to merge
        "warping_error_all": (labels > 0).float().mean().item(),  # nothing to grow from
        "average_precision": 0,
        "object_f1": 0,
        "panoptic_quality": 0,
        "object_errors": math.inf,
    }.get(name, math.nan)
    assert metric.compute().item() == pytest.approx(expected, nan_ok=True)


@every
def test_one_object(name: str) -> None:
    labels = torch.zeros(9, 9, dtype=torch.int32)
    labels[2:7, 2:7] = 3
    metric = scored(name, predicted(labels > 0, labels))
    assert metric.compute().item() == (1 if metric.higher_is_better else 0)


@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_precisions(name: str, dtype: torch.dtype) -> None:
    image = scored_image(2)
    other = {**image, "probabilities": image["probabilities"].to(dtype)}
    assert scored(name, other).compute().item() == pytest.approx(
        scored(name, image).compute().item(), abs=0.03
    )


@every
def test_unknown_pixels_change_nothing(name: str) -> None:
    first, second = scored_image(3), scored_image(3)
    hidden = torch.zeros(40, 40, dtype=torch.bool)
    hidden[:15, 10:30] = True
    for image in (first, second):
        for truth in ("classes", "labels", "markers"):
            image[truth] = image[truth].masked_fill(hidden, -1)
    second["instances"] = torch.where(hidden, 77, second["instances"])
    assert scored(name, first).compute() == scored(name, second).compute()


def test_a_collection_gives_what_single_measures_give() -> None:
    images = [scored_image(seed) for seed in range(3)]
    together = measures()
    for image in images:
        together.update(**image)
    expected = {name: scored(name, *images).compute().item() for name in MEASURES}
    assert {name: v.item() for name, v in together.compute().items()} == expected


@pytest.mark.parametrize("name", sweeps)
def test_the_score_is_the_best_of_the_curve_and_the_details_say_where(name: str) -> None:
    metric = scored(name, scored_image(0), scored_image(1))
    assert isinstance(metric, ThresholdSweep)
    curve = metric.curve()
    assert metric.compute() == (curve.max() if metric.higher_is_better else curve.min())
    assert len(curve) == max(1, len(metric.thresholds))
    if metric.thresholds:
        place = metric.thresholds.index(metric.details()["threshold"])
        assert curve[place] == metric.compute()
    if isinstance(metric, SplitMergeSweep):
        assert metric.details()["split"] == metric.split_curve()[place].item()
        assert metric.details()["merge"] == metric.merge_curve()[place].item()


@pytest.mark.parametrize("name", ["v_rand", "v_info", "rand_error"])
def test_with_one_image_the_score_is_the_harmonic_mean_of_both_sides(name: str) -> None:
    metric = scored(name, scored_image(0))
    assert isinstance(metric, SplitMergeSweep)
    mean = 2 / (1 / metric.split_curve() + 1 / metric.merge_curve())
    fscore = metric.curve() if metric.higher_is_better else 1 - metric.curve()
    assert torch.allclose(mean, fscore, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_states_on_a_gpu_take_images_from_anywhere(name: str, device: str) -> None:
    there = MetricCollection({"m": MEASURES[name]()}).to("cuda")
    there.update(**{name: tensor.to(device) for name, tensor in scored_image(0).items()})
    assert there.compute()["m"].item() == pytest.approx(
        scored(name, scored_image(0)).compute().item(), abs=1e-6
    )
