"""What holds for every measure, whatever its formula."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchmetrics import MetricCollection

from unet_exp.metrics.dice import Dice
from unet_exp.metrics.iou import IoU
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.pixel_error import PixelError
from unet_exp.metrics.regions import regions
from unet_exp.metrics.seg import SEG
from unet_exp.metrics.v_info import VInfo
from unet_exp.metrics.v_rand import VRand

MEASURES = [PixelError, IoU, Dice, VRand, VInfo, SEG]
every = pytest.mark.parametrize("measure", MEASURES)
Image = dict[str, Tensor]


def collection(**measures: Measure) -> MetricCollection:
    return MetricCollection(dict(measures))


@pytest.fixture
def image(mosaic, stacked) -> Callable[..., Image]:
    """All that an update may ask for, of a map that is right but for noise."""

    def make(seed: int, noise: float = 0.6) -> Image:
        labels = mosaic(seed)
        grain = torch.rand(labels.shape, generator=torch.Generator().manual_seed(seed))
        foreground = (1 - noise) * (labels > 0) + noise * grain
        return {
            "probabilities": stacked(foreground),
            "target": (labels > 0).long(),
            "labels": labels,
            "instances": regions(foreground > 0.5, thin_borders=False),
        }

    return make


@every
def test_two_shards_add_up_to_one(measure: type[Measure], image) -> None:
    whole, one, other = (collection(m=measure()) for _ in range(3))
    for seed in range(5):
        whole.update(**image(seed))
        (one, other)[seed % 2].update(**image(seed))
    one["m"].merge_state(other["m"])
    assert one["m"].compute().item() == pytest.approx(whole["m"].compute().item(), rel=1e-6)
    counts = [name for name, zero in whole["m"]._defaults.items() if not zero.is_floating_point()]
    assert counts
    for name in counts:
        assert torch.equal(getattr(one["m"], name), getattr(whole["m"], name))


@every
def test_states_are_summed_over_processes(measure: type[Measure]) -> None:
    from torchmetrics.utilities import dim_zero_sum

    assert set(measure()._reductions.values()) == {dim_zero_sum}


@every
def test_no_data_is_nan(measure: type[Measure], image) -> None:
    metric = collection(m=measure())
    assert math.isnan(metric["m"].compute())
    unknown = {**image(0), "target": torch.full((40, 40), -1), "labels": torch.full((40, 40), -1)}
    metric.update(**unknown)
    assert math.isnan(metric.compute()["m"])
    metric.update(**image(0))
    metric.reset()
    assert math.isnan(metric["m"].compute())


@every
def test_a_perfect_map_has_the_perfect_score(measure: type[Measure], image) -> None:
    perfect, bad = collection(m=measure()), collection(m=measure())
    clean = image(1, noise=0.0)
    labels = regions(clean["labels"] > 0, thin_borders=False)  # no cell in two pieces
    perfect.update(**{**clean, "labels": labels})
    bad.update(**image(1, noise=0.9))
    assert perfect.compute()["m"].item() == (1 if measure.higher_is_better else 0)
    assert bad.compute()["m"].item() == pytest.approx(0.5, abs=0.45)


@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_precisions(measure: type[Measure], dtype: torch.dtype, image) -> None:
    full, other = collection(m=measure()), collection(m=measure())
    whole = image(2)
    full.update(**whole)
    other.update(**{**whole, "probabilities": whole["probabilities"].to(dtype)})
    assert other.compute()["m"].item() == pytest.approx(full.compute()["m"].item(), abs=0.03)


@every
def test_unknown_pixels_change_nothing(measure: type[Measure], image) -> None:
    first, second = image(3), image(3)
    hidden = torch.zeros(40, 40, dtype=torch.bool)
    hidden[:15, 10:30] = True
    for whole in (first, second):
        whole["target"][hidden] = -1
        whole["labels"][hidden] = -1
    second["instances"] = torch.where(hidden, 77, second["instances"])
    one, other = collection(m=measure()), collection(m=measure())
    one.update(**first)
    other.update(**second)
    assert one.compute()["m"] == other.compute()["m"]


def test_a_collection_gives_what_single_measures_give(image) -> None:
    together = collection(**{m.__name__: m() for m in MEASURES})
    apart = {m.__name__: collection(m=m()) for m in MEASURES}
    for seed in range(3):
        together.update(**image(seed))
        for single in apart.values():
            single.update(**image(seed))
    expected = {name: single.compute()["m"].item() for name, single in apart.items()}
    assert {name: v.item() for name, v in together.compute().items()} == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@every
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_states_on_a_gpu_take_images_from_anywhere(
    measure: type[Measure], device: str, image
) -> None:
    here, there = collection(m=measure()), collection(m=measure()).to("cuda")
    here.update(**image(0))
    there.update(**{name: tensor.to(device) for name, tensor in image(0).items()})
    assert there.compute()["m"].item() == pytest.approx(here.compute()["m"].item(), abs=1e-6)
