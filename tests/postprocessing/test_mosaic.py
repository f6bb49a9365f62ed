import numpy as np
from scipy import ndimage

from unet_exp.postprocessing.mosaic import mosaic


def scattered() -> np.ndarray:
    labels = np.zeros((60, 90), np.int64)
    labels[0:9, 0:30], labels[9:20, 3:7], labels[9:20, 7:40] = 5, 10**12, 1
    labels[30, 30], labels[50:60, 0:90], labels[59, 89] = 2, 9, -1
    return labels


def test_objects_lie_apart_and_come_back() -> None:
    labels = scattered()
    for gap in (1, 4):
        objects = mosaic(labels, gap)
        laid = objects.laid_out(labels)
        reached = ndimage.maximum_filter(laid, 2 * gap + 1)
        own = laid > 0
        assert (reached[own] == np.where(own, laid, 0)[own]).sum() <= own.sum()
        for number in (1, 2, 5, 9, 10**12):
            around = ndimage.binary_dilation(laid == number, np.ones((3, 3)), iterations=gap)
            assert set(np.unique(laid[around])) <= {0, number}
            assert (laid == number).sum() == (labels == number).sum()
        edge = np.concatenate([laid[:gap].ravel(), laid[-gap:].ravel(), laid[:, :gap].ravel()])
        assert not edge.any()
        np.testing.assert_array_equal(
            objects.taken_back(laid, labels.shape), np.where(labels > 0, labels, 0)
        )


def test_channels_stay_with_their_pixels() -> None:
    labels = scattered()
    image = np.random.default_rng(0).random((3, *labels.shape))
    objects = mosaic(labels, 2)
    back = objects.taken_back(objects.laid_out(image), labels.shape)
    np.testing.assert_array_equal(back, image * (labels > 0))


def test_no_objects() -> None:
    objects = mosaic(np.zeros((5, 6), int), 3)
    assert objects.laid_out(np.ones((5, 6))).sum() == 0
    assert objects.taken_back(np.ones(objects.shape), (5, 6)).sum() == 0
