import numpy as np
import pytest

from unet_exp.weight_maps.class_weights import class_weights


def test_each_class_has_the_same_sum_and_known_pixels_the_mean_one() -> None:
    classes = np.random.default_rng(0).choice([0, 0, 0, 1, 2, 255], (40, 50)).astype(np.uint8)
    weights = class_weights(classes)
    sums = [weights[classes == c].sum() for c in range(3)]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-5)
    assert weights[classes != 255].mean() == pytest.approx(1, abs=1e-6)
    assert (weights[classes == 255] == 0).all()


@pytest.mark.parametrize("only", [0, 1, 7])
def test_one_class_alone_weighs_one(only: int) -> None:
    assert (class_weights(np.full((3, 3), only, np.uint8)) == 1).all()


def test_nothing_known() -> None:
    assert (class_weights(np.full((3, 3), 255, np.uint8)) == 0).all()
