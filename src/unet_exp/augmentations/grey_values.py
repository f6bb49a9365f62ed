"""Grey value variations (arXiv:1505.04597, section 3.1), for images with mean 0 and variance 1."""

from functools import lru_cache
from statistics import NormalDist
from typing import Any

import albumentations as A
import cv2
import numpy as np
from jaxtyping import Float32


class GreyValues(A.ImageOnlyTransform):
    """Random curve, contrast, brightness and noise of an image of any range, never clipped.

    Parameters
    ----------
    gain
        Grey values are multiplied by 1 plus or minus up to this.
    offset
        And moved by plus or minus up to this, in standard deviations of the image.
    curve
        Before that, contrast above the mean is raised by up to this, and below the mean lowered
        as much, or the reverse, as a gamma other than 1 does.
    noise
        Gaussian noise has a standard deviation of up to this.
    per_channel
        Whether each channel varies for itself.
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

    def apply(
        self, img: Float32[np.ndarray, "h w c"], *args: Any, **params: Any
    ) -> Float32[np.ndarray, "h w c"]:
        """Image with other grey values."""
        del args, params
        random, channels = self.random_generator, img.shape[-1] if self.per_channel else 1
        curve, gain, offset = (
            random.uniform(-most, most, channels).astype(np.float32)
            for most in (self.curve, self.gain, self.offset)
        )
        noise = random.uniform(0, self.noise)
        slope = 1 + gain
        if self.curve:
            # Of x, (1 + gain) * (x + curve * x * x / (1 + abs(x))) + offset, in one array.
            bent = np.abs(img)
            bent += 1
            np.divide(img, bent, out=bent)
            bent *= slope * curve
            bent += slope
            bent *= img
        else:
            bent = img * slope
        bent += offset
        if noise:
            levels = random.integers(0, 256, img.shape, np.uint8)
            grains = cv2.LUT(levels.reshape(-1), normal_quantiles())
            bent += np.float32(noise) * grains.reshape(img.shape)
        return bent


@lru_cache(maxsize=1)
def normal_quantiles() -> Float32[np.ndarray, "256"]:
    """Return 256 equally probable values, of mean 0 and variance 1, of a normal distribution.

    To look up a random byte takes a tenth of the time of drawing a normal number.

    >>> normal_quantiles()[[0, 127, 128, 255]].round(3)
    array([-2.893, -0.005,  0.005,  2.893], dtype=float32)
    """
    values = np.array([NormalDist().inv_cdf((i + 0.5) / 256) for i in range(256)])
    return (values / values.std()).astype(np.float32)
