"""Pixel error of the ISBI 2012 challenge (doi:10.3389/fnana.2015.00142): wrong pixels / pixels."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from unet_exp.metrics.measure import Measure
from unet_exp.metrics.threshold_sweep import checked_thresholds


def pixel_error(
    prediction: Int[Tensor, "*grid"], target: Int[Tensor, "*grid"]
) -> Float[Tensor, ""]:
    """Share of the known pixels (target >= 0) whose class is wrong; NaN if none is known.

    >>> pixel_error(torch.tensor([1, 1, 0, 0]), torch.tensor([1, 0, 0, -1]))
    tensor(0.3333)
    """
    known = target >= 0
    return ((prediction != target) & known).sum() / known.sum()


class PixelError(Measure):
    """Pixel error over all images' pixels together.

    Parameters
    ----------
    thresholds
        None: the class of a pixel is its most probable one. Otherwise foreground is what is more
        probable than a threshold, and the threshold with the fewest errors counts.

    >>> metric = PixelError()
    >>> metric.update(torch.tensor([[[0.2, 0.9]], [[0.8, 0.1]]]), torch.tensor([[1, 1]]))
    >>> metric.compute()
    tensor(0.5000)
    """

    higher_is_better = False
    errors: Int[Tensor, " thresholds"]
    known: Int[Tensor, ""]

    def __init__(self, thresholds: list[float] | None = None) -> None:
        super().__init__()
        self.thresholds = None if thresholds is None else checked_thresholds(thresholds)
        self.add_sum("errors", 1 if self.thresholds is None else len(self.thresholds))
        self.add_sum("known")

    def update(self, probabilities: Float[Tensor, "c h w"], target: Int[Tensor, "h w"]) -> None:
        """Count the wrong and the known pixels of one image."""
        known = target >= 0
        if self.thresholds is None:
            wrong: list[Bool[Tensor, "h w"]] = [probabilities.argmax(0) != target]
        else:
            foreground = 1 - probabilities[0].float()
            wrong = [(foreground > level) != (target > 0) for level in self.thresholds]
        counts = torch.stack([(mistake & known).sum() for mistake in wrong])
        self.errors += counts.to(self.errors)
        self.known += known.sum().to(self.known)

    def compute(self) -> Float[Tensor, ""]:
        """Divide; with several thresholds, take the best."""
        return (self.errors / self.known).min()
