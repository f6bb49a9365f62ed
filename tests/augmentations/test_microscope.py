import cv2
import numpy as np
import pytest

from unet_exp.augmentations.microscope import Curve, Microscope, bent, blurred

OFF = {
    "contrast": 1.0, "gamma": 1.0, "brightness": 0.0, "blurred": 0.0, "noisy": 0.0,
    "inverted": 0.0, "single_channels": 0.0,
}  # fmt: skip


def vary(seed: int, image: np.ndarray, **changes: float) -> np.ndarray:
    return Microscope(**{**OFF, **changes}).vary_planes(image, np.random.default_rng(seed))


@pytest.fixture
def ramp() -> np.ndarray:
    """Two channels of mean 3 and standard deviation 2."""
    values = np.linspace(-1, 1, 600).reshape(1, 20, 30)
    return np.float32(3 + 2 * np.concatenate([values, -values]) / values.std())


def test_with_empty_ranges_nothing_changes(ramp: np.ndarray) -> None:
    np.testing.assert_allclose(vary(0, ramp), ramp, atol=1e-5)


def test_contrast_and_brightness_are_those_of_the_tile(ramp: np.ndarray) -> None:
    drawn = [vary(seed, ramp, contrast=1.5, brightness=0.5) for seed in range(300)]
    fits = np.array([np.polyfit(ramp.ravel(), image.ravel(), 1) for image in drawn])
    slopes, means = fits[:, 0], np.array([image.mean() for image in drawn])
    assert 1 / 1.5 - 1e-3 < slopes.min() < 0.7
    assert 1.45 < slopes.max() < 1.5 + 1e-3
    assert np.median(slopes) == pytest.approx(1, abs=0.07)
    assert 3 - 1 - 1e-3 < means.min() < 2.1
    assert 3.9 < means.max() < 3 + 1 + 1e-3


def test_a_gamma_bends_and_keeps_mean_and_deviation() -> None:
    found = bent(np.float32([[0, 1, 4, 9, 16]]), Curve(0.5, 1.0, 0.0))
    # The roots 0 to 4 have mean 2 and variance 2; the values have mean 6 and variance 34.8.
    expected = (np.arange(5) - 2) / np.sqrt(2) * np.sqrt(34.8) + 6
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)


@pytest.mark.parametrize("level", [0.0, 7.5])
def test_a_constant_tile_stays(level: float) -> None:
    image = np.full((1, 5, 6), level, np.float32)
    found = Microscope(noisy=1.0, blurred=1.0, inverted=1.0).vary_planes(
        image, np.random.default_rng(0)
    )
    np.testing.assert_allclose(found, image, atol=1e-5)


def test_inversion_swaps_bright_and_dark_about_the_mean(ramp: np.ndarray) -> None:
    np.testing.assert_allclose(vary(0, ramp, inverted=1.0), 6 - ramp, atol=1e-5)
    inverted = [vary(seed, ramp, inverted=0.25)[0, 0, 0] > 3 for seed in range(400)]
    assert np.mean(inverted) == pytest.approx(0.25, abs=0.06)


def test_channels_change_together_or_each_on_its_own(ramp: np.ndarray) -> None:
    def slopes(image: np.ndarray) -> list[float]:
        return [np.polyfit(x.ravel(), y.ravel(), 1)[0] for x, y in zip(ramp, image, strict=True)]

    one, other = slopes(vary(1, ramp, contrast=1.5))
    assert one == pytest.approx(other, rel=1e-4)
    one, other = slopes(vary(1, ramp, contrast=1.5, single_channels=1.0))
    assert abs(one - other) > 0.01


def test_noise_is_relative_to_the_tile_and_in_a_share_of_the_tiles(ramp: np.ndarray) -> None:
    added = [(vary(seed, ramp, noise=0.3, noisy=0.5) - ramp).std() / 2 for seed in range(200)]
    assert np.mean(np.array(added) > 1e-4) == pytest.approx(0.5, abs=0.1)
    assert 0.28 < max(added) < 0.315


def test_the_blur_is_gaussian() -> None:
    point = np.zeros((2, 31, 31), np.float32)
    point[:, 15, 15] = 1
    found = blurred(point, 1.5)
    distances = np.add(*np.square(np.mgrid[-15:16, -15:16]))
    expected = np.exp(-distances / (2 * 1.5**2)) / (2 * np.pi * 1.5**2)
    np.testing.assert_allclose(found, np.stack([expected] * 2), atol=1e-3)


def test_blurred_tiles_have_half_to_the_whole_blur() -> None:
    image = np.random.default_rng(0).normal(size=(1, 60, 60)).astype(np.float32)
    least, most = (cv2.GaussianBlur(image[0], (0, 0), sigma).std() for sigma in (1.0, 0.5))
    left = [vary(seed, image, blur=1.0, blurred=1.0) for seed in range(30)]
    rough = [np.abs(np.diff(tile[0])).mean() for tile in left]
    bounds = [np.abs(np.diff(cv2.GaussianBlur(image[0], (0, 0), s))).mean() for s in (1.0, 0.5)]
    assert bounds[0] < min(rough) < max(rough) < bounds[1]
    assert least < min(tile.std() for tile in left)
    assert max(tile.std() for tile in left) < most


def test_is_a_function_of_the_generator_and_leaves_its_input(ramp: np.ndarray) -> None:
    before = ramp.copy()
    first, again, other = (
        Microscope(noisy=1.0).vary_planes(ramp, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(ramp, before)
    assert first.dtype == np.float32


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"contrast": 0.5}, "contrast = 0.5"),
        ({"noise": -1.0}, "noise = -1.0"),
        ({"noisy": 1.5}, "noisy = 1.5: a share of the tiles is between 0 and 1"),
    ],
)
def test_impossible_ranges_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Microscope(**wrong)
