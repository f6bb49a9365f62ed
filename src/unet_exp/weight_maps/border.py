"""Equation 2 (arXiv:1505.04597): class balance, and more weight in narrow gaps between cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from jaxtyping import Float32, Int, UInt8

from unet_exp.weight_maps.class_weights import UNKNOWN, class_weights
from unet_exp.weight_maps.two_nearest import two_nearest

#: Largest error of the border term, at pixels whose two nearest instances are far away.
TOLERANCE = 2e-5


def border_weight_map(
    labels: Int[np.ndarray, "h w"],
    w0: float = 10.0,
    sigma: float = 5.0,
    class_balance: bool = True,
    classes: UInt8[np.ndarray, "h w"] | None = None,
    class_frequencies: Sequence[float] | None = None,
) -> Float32[np.ndarray, "h w"]:
    """Return w = w_c + w0 exp(-(d1 + d2)^2 / (2 sigma^2)), with the second term only on background.

    d1 and d2 are the distances in pixels to the nearest and the second nearest instance. w_c is 1,
    or with ``class_balance`` inverse to the frequency of each class (see `class_weights`). Unknown
    pixels have the weight 0 and belong to no class.

    Parameters
    ----------
    labels
        Instances: 0 background, -1 unknown. For the border between instances that touch, pass
        ``unet_exp.targets.separation.separate(labels)``.
    w0
        Largest additional weight in narrow gaps between two instances.
    sigma
        Width of the gaps with such a weight, in pixels.
    classes
        0 background, 255 unknown. By default all instances are of class 1.
    class_balance
        Whether pixels of rare classes have more weight: inverse to the frequency of their class.
    class_frequencies
        The fraction of each class in the training set. None means the fractions in this image.

    >>> border_weight_map(np.array([[1, 1, 0, 0, 2, 2]])).round(2)
    array([[0.75, 0.75, 9.85, 9.85, 0.75, 0.75]], dtype=float32)
    """
    if sigma <= 0 or w0 < 0:
        raise ValueError(f"w0 = {w0}, sigma = {sigma}: w0 must be 0 or more, and sigma above 0.")
    if classes is None:
        classes = (labels > 0) + (labels < 0) * np.uint8(UNKNOWN)
    weights = class_weights(classes, class_balance, class_frequencies)
    if w0 > TOLERANCE:
        reach = sigma * sqrt(2 * log(w0 / TOLERANCE))
        sums = np.add(*two_nearest(labels, reach))
        narrow = np.flatnonzero((sums <= reach) & (labels == 0) & (classes != UNKNOWN))
        exponents = sums.reshape(-1)[narrow] ** 2 / (-2 * sigma**2)
        weights.reshape(-1)[narrow] += w0 * np.exp(exponents)
    return weights


@dataclass(frozen=True)
class BorderWeightMap:
    """`border_weight_map` with its parameters. The cache's key contains its ``repr``.

    Parameters
    ----------
    w0, sigma, class_balance, class_frequencies
        As for `unet_exp.weight_maps.border.border_weight_map`.

    >>> BorderWeightMap(w0=5.0)
    BorderWeightMap(w0=5.0, sigma=5.0, class_balance=True, class_frequencies=None)
    """

    w0: float = 10.0
    sigma: float = 5.0
    class_balance: bool = True
    class_frequencies: Sequence[float] | None = None

    def __call__(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"]
    ) -> Float32[np.ndarray, "h w"]:
        """Return the weight of each pixel."""
        balance = self.class_balance, classes, self.class_frequencies
        return border_weight_map(labels, self.w0, self.sigma, *balance)
