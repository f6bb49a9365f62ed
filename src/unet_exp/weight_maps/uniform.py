"""Equation 2 (arXiv:1505.04597) without its border term: class balance w_c, or 1 everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, UInt8

from unet_exp.weight_maps.class_weights import class_weights


@dataclass(frozen=True)
class UniformWeightMap:
    """One weight for each class, or one for all classes; 0 where the class is unknown.

    Parameters
    ----------
    class_balance, class_frequencies
        As for `unet_exp.weight_maps.border.border_weight_map`.

    >>> labels, classes = np.array([[1, 0, 0, -1]]), np.array([[1, 0, 0, 255]], np.uint8)
    >>> UniformWeightMap()(labels, classes)
    array([[1.5 , 0.75, 0.75, 0.  ]], dtype=float32)
    >>> UniformWeightMap(class_balance=False)(labels, classes)
    array([[1., 1., 1., 0.]], dtype=float32)
    """

    class_balance: bool = True
    class_frequencies: Sequence[float] | None = None

    def __call__(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"]
    ) -> Float32[np.ndarray, "h w"]:
        """Return the weight of each pixel."""
        del labels
        return class_weights(classes, self.class_balance, self.class_frequencies)
