"""Classes of pixels, with a border between touching cells (arXiv:1505.04597, section 3)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from unet_exp.losses.sigmoid import background_and_foreground
from unet_exp.ranges import require_choice
from unet_exp.targets.separation import separate
from unet_exp.targets.target import Encoded, pixel_classes
from unet_exp.weight_maps.class_weights import UNKNOWN

#: Pixels of the separation border on each side; the smallest number that separates instances.
WIDTH = 1


@dataclass(frozen=True)
class Foreground:
    """The class of each pixel: background, or foreground of one or more classes.

    Parameters
    ----------
    num_classes
        Classes of the data set, background included.
    separation
        Whether pixels where two instances touch become background (see `separate`). Classes that
        were drawn stay as they are. ``postprocessing.grow`` returns these pixels.
    activation
        ``softmax``: one channel for each class. ``sigmoid``: a single channel for the foreground,
        as in the popular Keras U-Net (zhixuhao/unet).

    >>> encoded = Foreground().encode(np.array([[1, 1, 2, 2, -1]]))
    >>> encoded.target, encoded.labels
    (array([[ 1,  0,  0,  1, -1]], dtype=int16), array([[ 1,  0,  0,  2, -1]]))
    """

    num_classes: int = 2
    separation: bool = True
    activation: str = "softmax"

    maps = ()
    height = None
    smoothing = 2.0
    seed_threshold = 0.8

    def __post_init__(self) -> None:
        require_choice("target.activation", self.activation, ("softmax", "sigmoid"))
        if self.activation == "sigmoid" and self.num_classes > 2:
            raise ValueError(
                f"target.activation=sigmoid tells 2 classes apart, and there are "
                f"{self.num_classes}. Choose target.activation=softmax."
            )

    @property
    def out_channels(self) -> int:
        """One for each class, or one for the foreground alone."""
        return 1 if self.activation == "sigmoid" else self.num_classes

    @property
    def gap(self) -> int:
        """Pixels that each of two touching instances loses to the separation border."""
        return WIDTH if self.separation else 0

    @property
    def losses(self) -> tuple[str, ...]:
        """Losses for the number of channels."""
        if self.activation == "sigmoid":
            return "weighted_binary_cross_entropy", "dice"
        return "weighted_cross_entropy", "dice", "weighted_sum"

    def encode(
        self, labels: Int[np.ndarray, "h w"], classes: UInt8[np.ndarray, "h w"] | None = None
    ) -> Encoded:
        """Return the class of each pixel, -1 where unknown."""
        if classes is None and self.separation:
            labels = separate(labels, self.gap)
        classes = pixel_classes(labels, classes)
        target = classes.astype(np.int16)
        target[classes == UNKNOWN] = -1
        return Encoded(target, labels, classes)

    def evidence(self, output: Float[Tensor, "b k h w"]) -> Float[Tensor, "b c h w"]:
        """Return the softmax over classes, or the sigmoid as background and foreground."""
        if self.activation == "sigmoid":
            return background_and_foreground(output)
        return output.float().softmax(1)
