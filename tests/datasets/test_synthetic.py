import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage
from skimage.filters import threshold_otsu

from unet_exp.datasets.synthetic import Synthetic


@pytest.fixture(scope="module")
def data() -> Synthetic:
    return Synthetic(train=3, validation=2)


def seg(labels: np.ndarray, instances: np.ndarray) -> float:
    """SEG as the Cell Tracking Challenge defines it, cell by cell."""
    scores = []
    for number in range(1, labels.max() + 1):
        cell = labels == number
        covering = np.bincount(instances[cell], minlength=2)
        covering[0] = 0
        best = covering.argmax()
        found = 2 * covering[best] > cell.sum()
        scores.append(covering[best] / (cell | (instances == best)).sum() if found else 0)
    return float(np.mean(scores))


def test_images_depend_on_the_seed_the_split_and_their_place_alone(data) -> None:
    again = Synthetic(train=1, validation=2)
    assert_array_equal(data.split("train")[0].image, again.split("train")[0].image)
    assert_array_equal(data.split("validation")[1].labels, again.split("validation")[1].labels)
    everything = [*data.split("train"), *data.split("validation"), *data.split("test")]
    assert len({s.image.tobytes() for s in everything}) == 3 + 2 + 4
    assert len({s.name for s in everything}) == 9
    other = Synthetic(seed=1).split("validation")[0]
    assert (other.image != data.split("validation")[0].image).any()


def test_many_touching_cells_each_in_one_piece(data) -> None:
    for sample in data.split("train"):
        labels = sample.labels
        assert labels.max() >= 25
        for number in range(1, labels.max() + 1):
            assert ndimage.label(labels == number)[1] == 1
        beside = [labels[:, 1:] != labels[:, :-1], (labels[:, 1:] > 0) & (labels[:, :-1] > 0)]
        assert np.logical_and(*beside).sum() > 200
        assert 0.4 < (labels > 0).mean() < 0.75


def test_the_line_between_touching_cells_is_dim_but_narrow(data) -> None:
    sample = data.split("train")[0]
    labels, image = sample.labels, sample.image[0]
    cells = labels > 0
    low, high = (f(labels, 3) for f in (ndimage.minimum_filter, ndimage.maximum_filter))
    seam = cells & (low > 0) & (low != high)
    near = cells & ~seam & ndimage.binary_dilation(seam, iterations=4)
    near &= ~ndimage.binary_dilation(seam, iterations=2)
    assert image[near].mean() - image[seam].mean() > 0.25 * image[near].std()


def test_a_threshold_does_not_find_the_cells(data) -> None:
    scores = [
        seg(s.labels, np.asarray(ndimage.label(s.image[0] > threshold_otsu(s.image[0]))[0]))
        for s in data.split("validation")
    ]
    assert np.mean(scores) < 0.4
    assert seg(data.split("test")[0].labels, data.split("test")[0].labels) == 1


def test_channels_see_the_same_cells_with_other_noise() -> None:
    sample = Synthetic(train=1, size=64, in_channels=2).split("train")[0]
    assert sample.image.shape == (2, 64, 64)
    assert 0.5 < np.corrcoef(sample.image.reshape(2, -1))[0, 1] < 0.999


@pytest.mark.parametrize("options", [{"train": 0}, {"validation": 0}, {"size": 16}, {"cells": 0}])
def test_settings_that_give_nothing_to_learn_from(options) -> None:
    with pytest.raises(ValueError, match="give no images to learn from"):
        Synthetic(**options)
