import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import binary_precision_recall_curve

from unet_exp.metrics.pixel_curve import LEVELS, PixelCurve


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), images=st.integers(1, 3))
def test_it_is_torchmetrics(seed: int, images: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    # Hundredths, so that many pixels lie on a level.
    scores = torch.randint(0, 101, (images, 5, 7), generator=generator) / 100
    true = torch.randint(-1, 2, (images, 5, 7), generator=generator)
    true[0, 0, 0] = 1
    curve = PixelCurve()
    for image, classes in zip(scores, true, strict=True):
        curve.update(image, classes)
    found = curve.compute()
    precision, recall, levels = binary_precision_recall_curve(
        scores, true, thresholds=torch.tensor(LEVELS), ignore_index=-1
    )
    np.testing.assert_allclose(found.thresholds, levels, rtol=1e-6)
    np.testing.assert_allclose(found.precision, precision[:-1], rtol=1e-6)
    np.testing.assert_allclose(found.recall, recall[:-1], rtol=1e-6)


def test_levels_are_fine_at_both_ends() -> None:
    assert len(LEVELS) == len(set(LEVELS)) == 109
    assert (LEVELS[0], LEVELS[-1]) == (0, 1)
    assert LEVELS[1] < 2e-6
    assert 1 - LEVELS[-2] < 2e-6


def test_nothing_seen() -> None:
    found = PixelCurve().compute()
    assert np.isnan(found.precision).all()
    assert np.isnan(found.recall).all()
