"""Equation 2 (arXiv:1505.04597) without its border term: class balance w_c, or 1 everywhere."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, UInt8

from unet_exp.targets.foreground import UNKNOWN, annotation
from unet_exp.weight_maps.balance import balance


@dataclass(frozen=True)
class UniformWeightMap:
    """One weight for each class, or one for all; 0 where the class is unknown.

    ``separation`` makes the border between touching instances background, as in
    `BorderWeightMap`; it is what the training target is made with.

    >>> UniformWeightMap()(np.array([[1, 0, 0, -1]]))
    array([[1.5 , 0.75, 0.75, 0.  ]], dtype=float32)
    >>> UniformWeightMap(class_balance=False)(np.array([[1, 0, 0, -1]]))
    array([[1., 1., 1., 0.]], dtype=float32)
    """

    class_balance: bool = True
    separation: bool = True

    def __call__(
        self,
        labels: Int[np.ndarray, "h w"] | None,
        classes: UInt8[np.ndarray, "h w"] | None = None,
    ) -> Float32[np.ndarray, "h w"]:
        """Weight of each pixel of an `annotation`."""
        _, classes = annotation(labels, classes, self.separation)
        return balance(classes) if self.class_balance else (classes != UNKNOWN).astype(np.float32)
