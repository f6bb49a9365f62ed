import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from unet_exp.images.resampling import nearest, resized, resized_length

IMAGE = np.random.default_rng(0).random((2, 41, 30)).astype(np.float32)


@pytest.mark.parametrize("size", [(41, 30), (82, 75), (100, 33), (20, 11), (5, 3), (1, 1)])
def test_is_the_antialiased_bilinear_interpolation_of_torch(size: tuple[int, int]) -> None:
    expected = interpolate(
        torch.from_numpy(IMAGE)[None], size, mode="bilinear", antialias=True, align_corners=False
    )[0]
    found = resized(IMAGE, *size)[:, :, :]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("size", [(82, 75), (17, 9)])
def test_a_part_is_that_of_the_whole(size: tuple[int, int]) -> None:
    whole = resized(IMAGE, *size)
    part = np.s_[:, 3:14, 2:8]
    np.testing.assert_array_equal(whole[part], whole[:, :, :][part])


def test_only_the_pixels_needed_are_read() -> None:
    class Watched:
        shape = (1, 1000, 1000)

        def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray:
            self.key = key
            return np.zeros(self.shape, np.float32)[key]

    watched = Watched()
    assert resized(watched, 250, 250)[:, 10:20, 0:5].shape == (1, 10, 5)
    assert watched.key[1:] == (slice(38, 82), slice(0, 22))


def test_labels_shrink_and_grow_without_new_numbers() -> None:
    labels = np.kron(np.array([[1, -1], [0, 7]], np.int32), np.ones((4, 4), np.int32))
    np.testing.assert_array_equal(nearest(labels, 2, 2), [[1, -1], [0, 7]])
    np.testing.assert_array_equal(nearest(nearest(labels, 24, 24), 8, 8), labels)
    assert nearest(labels, 3, 5).dtype == np.int32


def test_an_axis_keeps_a_pixel() -> None:
    assert [resized_length(10, scale) for scale in (0.01, 0.26, 1, 1.5)] == [1, 3, 10, 15]
