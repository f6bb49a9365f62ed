"""Grey value variations (arXiv:1505.04597, section 3.1), for images with mean 0 and variance 1."""

from functools import lru_cache
from statistics import NormalDist
from typing import Any

import albumentations as A
import cv2
import numpy as np
from jaxtyping import Float32, Shaped


class GreyValues(A.ImageOnlyTransform):
    """Random curve, contrast, brightness and noise of a float32 image of any range, not clipped.

    Parameters
    ----------
    gain
        Grey values are multiplied by a factor between 1 - ``gain`` and 1 + ``gain``.
    offset
        Then a number between minus and plus this is added, in standard deviations of the image.
    curve
        Before that, the contrast above the mean is increased by up to this, and below the mean
        decreased by as much, or the reverse. This is similar to a gamma other than 1.
    noise
        Largest standard deviation of Gaussian noise.
    per_channel
        Whether each channel varies independently.
    """

    def __init__(
        self,
        gain: float = 0.25,
        offset: float = 0.25,
        curve: float = 0.25,
        noise: float = 0.0,
        per_channel: bool = False,
        p: float = 1.0,
    ) -> None:
        super().__init__(p=p)
        if not (0 <= gain < 1 and 0 <= curve < 1 and offset >= 0 and noise >= 0):
            raise ValueError(
                f"gain = {gain}, offset = {offset}, curve = {curve}, noise = {noise}: give each "
                "0 or more, and gain and curve below 1, where grey values would change places."
            )
        self.gain, self.offset, self.curve, self.noise = gain, offset, curve, noise
        self.per_channel = per_channel

    def draw(self, channels: int, random: np.random.Generator) -> dict[str, Any]:
        """Draw the arguments of :func:`vary` for an image, as plain numbers."""
        drawn: dict[str, Any] = {
            name: random.uniform(-most, most, channels if self.per_channel else 1).tolist()
            for name, most in (
                ("curve", self.curve), ("gain", self.gain), ("offset", self.offset),
            )
        }  # fmt: skip
        drawn["noise"] = random.uniform(0, self.noise)
        drawn["noise_seed"] = int(random.integers(2**32)) if self.noise else 0
        return drawn

    def vary_planes(
        self, planes: Float32[np.ndarray, "c h w"], random: np.random.Generator
    ) -> Float32[np.ndarray, "c h w"]:
        """Return an image with channels first and other grey values."""
        if self.p < 1 and random.random() >= self.p:
            return planes
        return vary(planes, 0, **self.draw(len(planes), random))

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """Draw the variation of an image."""
        height_width_channels = (*params["shape"], 1)
        return self.draw(height_width_channels[2], self.random_generator)

    def apply(
        self,
        img: Shaped[np.ndarray, "h w *c"],
        curve: list[float],
        gain: list[float],
        offset: list[float],
        noise: float,
        noise_seed: int,
        **_: Any,
    ) -> Float32[np.ndarray, "h w *c"]:
        """Return an image with channels last, or without channels, with other grey values.

        Raises ValueError if the image is not float32.
        """
        if img.dtype != np.float32:
            raise ValueError(
                f"GreyValues takes float32 images of mean 0 and variance 1, not {img.dtype}. "
                "Normalise the image first."
            )
        axis = img.ndim - 1 if self.per_channel and img.ndim == 3 else 0
        return vary(img, axis, curve, gain, offset, noise, noise_seed)


def vary(
    image: Float32[np.ndarray, "..."],
    axis: int,
    curve: list[float],
    gain: list[float],
    offset: list[float],
    noise: float,
    noise_seed: int,
) -> Float32[np.ndarray, "..."]:
    """Return (1 + gain) * (x + curve * x * abs(x) / (1 + abs(x))) + offset + noise for each x.

    ``curve``, ``gain`` and ``offset`` have one value, or one for each channel along ``axis``.

    >>> vary(np.float32([[-1, 1]]), 0, [0.5], [0.0], [1.0], 0.0, 0)
    array([[0.25, 2.25]], dtype=float32)
    """
    sides = [1] * image.ndim
    sides[axis] = -1
    curves, gains, offsets = (
        np.array(values, np.float32).reshape(sides if len(values) > 1 else [1] * image.ndim)
        for values in (curve, gain, offset)
    )
    slope = 1 + gains
    if curves.any():
        # All steps use one array.
        varied = np.abs(image)
        varied += 1
        np.divide(image, varied, out=varied)
        varied *= slope * curves
        varied += slope
        varied *= image
    else:
        varied = image * slope
    varied += offsets
    if noise:
        levels = np.random.default_rng(noise_seed).integers(0, 256, image.size, np.uint8)
        grains = cv2.LUT(levels, normal_quantiles())
        varied += np.float32(noise) * grains.reshape(image.shape)
    return varied


@lru_cache(maxsize=1)
def normal_quantiles() -> Float32[np.ndarray, "256"]:
    """Return 256 equally probable values, of mean 0 and variance 1, of a normal distribution.

    Looking up a random byte takes a tenth of the time of drawing a normal number.

    >>> normal_quantiles()[[0, 127, 128, 255]].round(3)
    array([-2.893, -0.005,  0.005,  2.893], dtype=float32)
    """
    values = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
    return (values / values.std()).astype(np.float32)
