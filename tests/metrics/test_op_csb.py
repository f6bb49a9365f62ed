import math

import pytest
import torch

from unet_exp.metrics.det import DET
from unet_exp.metrics.op_csb import OPCSB
from unet_exp.metrics.seg import SEG

op_csb = pytest.importorskip("ctc_metrics.metrics").op_csb


@pytest.mark.parametrize("seed", range(4))
def test_equals_py_ctcmetrics(seed: int, mosaic, ctcmetrics) -> None:
    frames = [(mosaic(seed, gap=2).roll(i + 1, 0), mosaic(seed + i % 2)) for i in range(3)]
    metric = OPCSB()
    for result, reference in frames:
        metric.update(result, labels=reference, markers=reference)
    expected = ctcmetrics(frames)
    assert metric.compute().item() == pytest.approx(op_csb(expected["seg"], expected["det"]))


def test_seg_reads_the_labels_and_det_the_markers(draw) -> None:
    result, labels, markers = draw("111.22.33"), draw("1111..???"), draw(".1...2.3.")
    both, seg, det = OPCSB(), SEG(), DET()
    both.update(result, labels, markers)
    seg.update(result, labels)
    det.update(result, markers)
    assert both.details() == {"seg": seg.compute().item(), "det": det.compute().item()}
    assert both.details() == {"seg": 0.75, "det": 1}
    assert both.compute().item() == 0.875


def test_it_needs_gold_and_markers(draw) -> None:
    metric = OPCSB()
    metric.update(draw("11"), labels=draw(".."), markers=draw("1."))
    assert math.isnan(metric.compute())
    metric.update(torch.zeros(1, 2, dtype=torch.long), labels=draw("12"), markers=draw("12"))
    assert metric.compute().item() == pytest.approx((0 + 1 / 3) / 2)
