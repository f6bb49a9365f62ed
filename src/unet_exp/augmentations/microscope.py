"""Imitate another microscope or camera: change blur, contrast, gamma and noise.

The steps and their ranges follow nnU-Net (doi:10.1038/s41592-020-01008-z,
supplementary note 4), StarDist (arXiv:1806.03535) and Cellpose (doi:10.1038/s41592-020-01018-x).
"""

from math import exp, log
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32

from unet_exp.augmentations.grey_values import normal_quantiles


class Curve(NamedTuple):
    """A change of grey values: first a power, then contrast around the mean, then brightness."""

    gamma: float
    """Exponent of the grey values, scaled between the minimum and the maximum of the tile."""
    contrast: float
    """Factor of the distances from the mean; negative values swap bright and dark."""
    brightness: float
    """Number that is added, in standard deviations of the tile."""


class Microscope:
    """Random blur, gamma, contrast, brightness, inversion and noise of a tile, without clipping.

    All changes are relative to the mean and the standard deviation of the tile. So images may have
    any normalization.

    Parameters
    ----------
    contrast, gamma
        Factors and exponents are log-uniform between this and its inverse.
    brightness
        Largest number that is added or subtracted, in standard deviations of the tile.
    blur, blurred
        Standard deviation of the Gaussian blur, between half of ``blur`` and ``blur`` pixels, and
        the fraction of the tiles that are blurred.
    noise, noisy
        Largest standard deviation of Gaussian noise, in standard deviations of the tile, and the
        fraction of the tiles with noise.
    inverted
        Fraction of the tiles in which bright becomes dark.
    single_channels
        Fraction of the tiles in which gamma, contrast and brightness differ between channels. In
        the others, all channels have the same.

    >>> vary = Microscope(noisy=1.0)
    >>> vary.vary_planes(np.eye(4, dtype=np.float32)[None], np.random.default_rng(0)).shape
    (1, 4, 4)
    """

    def __init__(
        self,
        contrast: float = 1.5,
        gamma: float = 1.5,
        brightness: float = 0.5,
        blur: float = 1.0,
        blurred: float = 0.2,
        noise: float = 0.3,
        noisy: float = 0.2,
        inverted: float = 0.05,
        single_channels: float = 0.2,
    ) -> None:
        if min(contrast, gamma) < 1 or min(brightness, blur, noise) < 0:
            raise ValueError(
                f"contrast = {contrast}, gamma = {gamma}, brightness = {brightness}, blur = {blur},"
                f" noise = {noise}: give 1 or more for the first two, and 0 or more for the others."
            )
        shares = {
            "blurred": blurred, "noisy": noisy, "inverted": inverted,
            "single_channels": single_channels,
        }  # fmt: skip
        if wrong := [f"{name} = {share}" for name, share in shares.items() if not 0 <= share <= 1]:
            raise ValueError(f"{', '.join(wrong)}: a share of the tiles is between 0 and 1.")
        self.contrast, self.gamma, self.brightness = contrast, gamma, brightness
        self.blur, self.blurred, self.noise, self.noisy = blur, blurred, noise, noisy
        self.inverted, self.single_channels = inverted, single_channels

    def vary_planes(
        self, planes: Float32[np.ndarray, "c h w"], random: np.random.Generator
    ) -> Float32[np.ndarray, "c h w"]:
        """Return a tile with other grey values, as a new array."""
        sigma = random.uniform(0.5, 1) * self.blur if random.random() < self.blurred else 0.0
        sign = -1 if random.random() < self.inverted else 1
        single = random.random() < self.single_channels
        curves = [self.draw(random, sign) for _ in range(len(planes) if single else 1)]
        noise = random.uniform(0, self.noise) if random.random() < self.noisy else 0.0
        seen = blurred(planes, sigma) if sigma else planes
        if single:
            varied = np.stack([bent(*pair) for pair in zip(seen, curves, strict=True)])
        else:
            varied = bent(seen, curves[0])
        return add_noise(varied, noise, random) if noise else varied

    def draw(self, random: np.random.Generator, sign: int) -> Curve:
        """Draw a curve; with a ``sign`` of -1 it swaps bright and dark."""
        gamma, contrast = (
            exp(random.uniform(-log(most), log(most))) for most in (self.gamma, self.contrast)
        )
        return Curve(gamma, sign * contrast, random.uniform(-self.brightness, self.brightness))


def blurred(planes: Float32[np.ndarray, "c h w"], sigma: float) -> Float32[np.ndarray, "c h w"]:
    """Return a tile that is blurred by a Gaussian of ``sigma`` pixels, as if out of focus."""
    mirror = cv2.BORDER_REFLECT_101
    return np.stack([cv2.GaussianBlur(p, (0, 0), sigma, borderType=mirror) for p in planes])


def bent(pixels: Float32[np.ndarray, "..."], curve: Curve) -> Float32[np.ndarray, "..."]:
    """Return a tile with changed gamma, contrast and brightness.

    If only gamma changes, mean and standard deviation stay the same.

    >>> bent(np.float32([[-1, 1]]), Curve(gamma=1.0, contrast=-2.0, brightness=0.5))
    array([[ 2.5, -1.5]], dtype=float32)
    """
    flat = pixels.reshape(1, -1)
    mean, deviation = moments(flat)
    low, high, *_ = cv2.minMaxLoc(flat)
    if not deviation > 0:
        return pixels.copy()
    if curve.gamma == 1:
        powers, middle, spread = flat, mean, deviation
    else:
        powers = cv2.pow((flat - np.float32(low)) / np.float32(high - low), curve.gamma)
        middle, spread = moments(powers)
    slope = curve.contrast * deviation / spread
    varied = powers * np.float32(slope)
    varied += np.float32(mean + curve.brightness * deviation - slope * middle)
    return varied.reshape(pixels.shape)


def moments(flat: Float32[np.ndarray, "1 n"]) -> tuple[float, float]:
    """Return mean and standard deviation.

    >>> moments(np.float32([[1, 3]]))
    (2.0, 1.0)
    """
    mean, deviation = cv2.meanStdDev(flat)
    return float(mean[0, 0]), float(deviation[0, 0])


def add_noise(
    pixels: Float32[np.ndarray, "c h w"], noise: float, random: np.random.Generator
) -> Float32[np.ndarray, "c h w"]:
    """Add Gaussian noise of ``noise`` standard deviations of the tile, in place."""
    _, deviation = moments(pixels.reshape(1, -1))
    levels = random.integers(0, 256, pixels.size, np.uint8)
    grains = cv2.LUT(levels, normal_quantiles()).reshape(pixels.shape)
    pixels += np.float32(noise * deviation) * grains
    return pixels
