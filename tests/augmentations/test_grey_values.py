import numpy as np
import pytest

from unet_exp.augmentations.grey_values import GreyValues

OFF = {"gain": 0.0, "offset": 0.0, "curve": 0.0}


def vary(transform: GreyValues, image: np.ndarray, seed: int) -> np.ndarray:
    transform.set_random_seed(seed)
    return transform(image=image)["image"]


@pytest.fixture
def ramp() -> np.ndarray:
    return np.linspace(-6, 9, 1200, dtype=np.float32).reshape(20, 30, 2)


def test_with_ranges_of_zero_nothing_changes(ramp: np.ndarray) -> None:
    np.testing.assert_array_equal(vary(GreyValues(**OFF), ramp, 0), ramp)


def test_gain_and_offset_are_uniform_in_their_ranges(ramp: np.ndarray) -> None:
    transform = GreyValues(gain=0.3, offset=0.5, curve=0.0)
    fits = [
        np.polyfit(ramp.reshape(-1), vary(transform, ramp, i).reshape(-1), 1) for i in range(300)
    ]
    for values, middle, most in zip(np.transpose(fits), (1, 0), (0.3, 0.5), strict=True):
        assert np.abs(values - middle).max() <= most + 1e-5
        assert np.std(values) == pytest.approx(most / np.sqrt(3), rel=0.1)


def test_the_order_of_grey_values_stays_and_nothing_is_clipped(ramp: np.ndarray) -> None:
    transform = GreyValues(gain=0.9, offset=2.0, curve=0.9)
    for seed in range(20):
        assert (np.diff(vary(transform, ramp, seed).reshape(-1)) > 0).all()


def test_the_curve_lifts_contrast_on_one_side_and_lowers_it_on_the_other() -> None:
    image = np.array([-1e4, -1e4 + 1, 0, 1e-3, 1e4, 1e4 + 1], np.float32).reshape(1, 6, 1)
    for seed in range(10):
        bent = vary(GreyValues(gain=0.0, offset=0.0, curve=0.5), image, seed).reshape(-1)
        dark, middle, bright = (bent[1::2] - bent[::2]) / [1, 1e-3, 1]
        assert middle == pytest.approx(1, abs=1e-3)
        assert bright - 1 == pytest.approx(1 - dark, abs=5e-3)
        assert abs(bright - 1) <= 0.5 + 1e-2


def test_channels_vary_together_or_each_for_itself() -> None:
    image = np.ones((4, 4, 3), np.float32)
    assert np.unique(vary(GreyValues(), image, 0)).size == 1
    assert np.unique(vary(GreyValues(per_channel=True), image, 0)).size == 3


def test_noise_is_normal_with_up_to_the_stated_deviation() -> None:
    image = np.zeros((200, 200, 1), np.float32)
    transform = GreyValues(**OFF, noise=0.2)
    drawn = [vary(transform, image, seed) for seed in range(60)]
    deviations = [noise.std() for noise in drawn]
    assert 0.18 < max(deviations) < 0.202
    assert np.mean(deviations) == pytest.approx(0.1, abs=0.02)
    standard = (drawn[0] / drawn[0].std()).reshape(-1)
    assert np.mean(np.abs(standard) < 1) == pytest.approx(0.6827, abs=0.01)
    assert np.mean(standard**4) == pytest.approx(3, abs=0.15)


def test_is_a_function_of_the_seed_and_leaves_its_input(ramp: np.ndarray) -> None:
    transform, before = GreyValues(noise=0.1), ramp.copy()
    first = vary(transform, ramp, 5)
    assert not np.array_equal(vary(transform, ramp, 6), first)
    np.testing.assert_array_equal(vary(transform, ramp, 5), first)
    np.testing.assert_array_equal(ramp, before)


@pytest.mark.parametrize("wrong", [{"gain": 1.0}, {"curve": -0.1}, {"noise": -1.0}])
def test_impossible_ranges_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="0 or more, and gain and curve below 1"):
        GreyValues(**wrong)


def test_channels_first_vary_as_channels_last(ramp: np.ndarray) -> None:
    transform = GreyValues(per_channel=True)
    planes = np.ascontiguousarray(np.moveaxis(ramp, -1, 0))
    found = transform.vary_planes(planes, np.random.default_rng(4))
    np.testing.assert_array_equal(np.moveaxis(found, 0, -1), vary(transform, ramp, 4))


def test_with_a_probability_some_images_do_not_change() -> None:
    transform, image = GreyValues(p=0.25), np.ones((1, 2, 2), np.float32)
    random = np.random.default_rng(0)
    changed = [not np.array_equal(transform.vary_planes(image, random), image) for _ in range(400)]
    assert np.mean(changed) == pytest.approx(0.25, abs=0.06)
