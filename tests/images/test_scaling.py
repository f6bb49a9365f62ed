"""Scaling that is computed band by band equals that of numpy over the whole channel."""

import numpy as np
import pytest

from unet_exp.images import scaling as module
from unet_exp.images.scaling import NotFiniteError, Scaled, find_scaling

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_bands_give_what_the_whole_gives(
    dtype: type, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = (RNG.random((50, 40)) * 200 - (0 if dtype in (np.uint8, np.uint16) else 90)).astype(
        dtype
    )
    monkeypatch.setattr(module, "BAND", rows * 40)
    exact = dtype is not np.float32 or rows == 1000
    low, high = np.percentile(channel, (1, 99.8))
    expected = {
        "zscore": (channel.mean(dtype=float), channel.std(dtype=float)),
        "minmax": (channel.min(), np.ptp(channel.astype(float))),
        "percentile": (low, high - low),
    }
    for name, values in expected.items():
        if exact or name != "percentile":
            np.testing.assert_allclose(find_scaling(channel, name), values, rtol=1e-12)


def test_of_a_large_channel_of_floats_even_steps_stand_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = RNG.random((400, 300), np.float32)
    monkeypatch.setattr(module, "BAND", 10_000)
    low, scale = find_scaling(channel, "percentile")
    assert (low, low + scale) == pytest.approx((0.01, 0.998), abs=0.004)


def test_values_that_are_not_finite_are_counted_in_all_bands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BAND", 10)
    channel = np.zeros((6, 10), np.float32)
    channel[1, 2], channel[4] = np.nan, np.inf
    with pytest.raises(NotFiniteError, match="11 values of 60 that are NaN or infinite"):
        find_scaling(channel)


def test_a_window_of_a_scaled_image_is_that_of_the_whole() -> None:
    image = RNG.integers(0, 255, (2, 30, 20)).astype(np.uint8)
    whole = (image - image.mean((1, 2), keepdims=True)) / image.std((1, 2), keepdims=True)
    np.testing.assert_allclose(Scaled(image)[:, 3:9, 5:], whole[:, 3:9, 5:], rtol=1e-6)
