import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import multiclass_confusion_matrix

from unet_exp.metrics.overlap import class_mean, overlap


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_equals_the_confusion_matrix_of_torchmetrics(seed: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    prediction = torch.randint(0, classes, (7, 8), generator=generator)
    truth = torch.randint(-1, classes, (7, 8), generator=generator)
    matrix = multiclass_confusion_matrix(prediction, truth, classes, ignore_index=-1)
    found = overlap(prediction, truth)
    assert torch.equal(found.shared[:classes], matrix.diagonal())
    assert torch.equal(found.predicted[:classes], matrix.sum(0))
    assert torch.equal(found.true[:classes], matrix.sum(1))
    assert found.predicted.sum() == found.true.sum() == (truth >= 0).sum()


def test_class_mean_leaves_out_what_does_not_occur() -> None:
    shares = torch.tensor([0.5, torch.nan, 1.0])
    assert class_mean(shares, background=False) == 1
    assert class_mean(shares, background=True) == 0.75
