import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.label_images import label_pairs
from torch import Tensor

from unet_exp.metrics.seg import SEG, seg


def test_hand_drawn(draw) -> None:
    truth = draw("111..222 111..222 111..222 333.....")
    result = draw("777..... 777....8 777..888 ...99...")
    # 1: exact. 2: 4 of 9 pixels, not more than half. 3: missed by 9.
    assert seg(result, truth).item() == pytest.approx(1 / 3)


def test_a_merger_scores_for_the_object_it_mostly_is(draw) -> None:
    truth = draw("11112222")
    assert seg(draw("55555555"), truth).item() == pytest.approx(0.5)  # 4/8 for both
    assert seg(draw("5555555."), truth).item() == pytest.approx((4 / 7 + 3 / 8) / 2)


def test_exactly_half_is_no_match(draw) -> None:
    assert seg(draw("11.."), draw("1111")).item() == 0
    assert seg(draw("111."), draw("1111")).item() == 0.75


def test_unknown_pixels_are_taken_out_of_the_result(draw) -> None:
    assert seg(draw("11111"), draw("111??")).item() == 1
    assert seg(draw("11111"), draw("111..")).item() == pytest.approx(0.6)


def test_a_slow_implementation_gives_the_same(mosaic) -> None:
    for seed in range(5):
        truth, result = mosaic(seed), mosaic(seed, gap=seed).roll((1, 2), (0, 1))
        total, gold = 0.0, truth[truth > 0].unique()
        for r in gold:
            for s in result[result > 0].unique():
                both = ((truth == r) & (result == s)).sum().item()
                if 2 * both > (truth == r).sum():
                    total += both / ((truth == r) | (result == s)).sum().item()
        assert seg(result, truth).item() == pytest.approx(total / len(gold))


@settings(deadline=None, max_examples=40)
@given(frames=st.lists(label_pairs(), min_size=1, max_size=3))
def test_equals_py_ctcmetrics(frames: list[tuple[Tensor, Tensor]], ctcmetrics) -> None:
    metric = SEG()
    for result, reference in frames:
        metric.update(result, reference)
    assert metric.compute().item() == pytest.approx(ctcmetrics(frames)["seg"], abs=1e-6)


def test_perfect_permuted_empty_one(mosaic, draw) -> None:
    truth = mosaic(3)
    permuted = torch.randperm(int(truth.max()), generator=torch.Generator().manual_seed(0)) + 1
    permuted = torch.cat([torch.zeros(1, dtype=torch.long), permuted])
    assert seg(truth, truth).item() == 1
    assert seg(permuted[truth.long()], truth).item() == 1
    assert seg(torch.zeros_like(truth), truth).item() == 0
    assert math.isnan(seg(draw("11"), draw("..")))
    assert seg(draw("11"), draw("33")).item() == 1


def test_mean_over_objects_not_images_and_shards_add_up(draw) -> None:
    images = [(draw("1.2.3"), draw("1.2.3")), (draw(".."), draw("11")), (draw("1"), draw("."))]
    whole, shards = SEG(), [SEG(), SEG()]
    for i, (result, truth) in enumerate(images):
        whole.update(result, truth)
        shards[i % 2].update(result, truth)
    shards[0].merge_state(shards[1])
    assert whole.compute().item() == shards[0].compute().item() == 0.75
    assert whole.objects == 4
