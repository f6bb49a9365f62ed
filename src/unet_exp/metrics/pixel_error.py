"""Pixel error of ISBI 2012 (doi:10.3389/fnana.2015.00142): the fraction of wrong pixels.

The number on the challenge's leaderboard is different: one minus the F-score of foreground pixels.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.arguments import check_images
from unet_exp.metrics.threshold_sweep import ThresholdSweep, foreground


def pixel_error(
    prediction: Int[Tensor, "*grid"], classes: Int[Tensor, "*grid"]
) -> Float[Tensor, ""]:
    """Fraction of the known pixels (class >= 0) whose class is wrong; NaN if none is known.

    >>> pixel_error(torch.tensor([1, 1, 0, 0]), torch.tensor([1, 0, 0, -1]))
    tensor(0.3333)
    """
    check_images(prediction, classes)
    known = classes >= 0
    return ((prediction != classes) & known).sum() / known.sum()


class PixelError(ThresholdSweep):
    """Pixel error over all images' pixels together.

    Parameters
    ----------
    thresholds
        None means that the class of a pixel is its most probable one. Otherwise, pixels with a
        larger probability than a threshold are foreground, and the best threshold counts.
    f_score
        False gives wrong pixels / pixels. True gives the challenge's number: 1 - 2 hits / (2 hits +
        wrong pixels), where a hit is a foreground pixel of the right class.

    >>> metric = PixelError()
    >>> metric.update(torch.tensor([[[0.2, 0.9]], [[0.8, 0.1]]]), torch.tensor([[1, 1]]))
    >>> metric.compute()
    tensor(0.5000)
    """

    higher_is_better = False
    errors: Int[Tensor, " thresholds"]
    hits: Int[Tensor, " thresholds"]
    known: Int[Tensor, ""]

    def __init__(self, thresholds: list[float] | None = None, f_score: bool = False) -> None:
        super().__init__(thresholds)
        if thresholds is None:
            self.thresholds = ()
        self.f_score = f_score
        self.add_sums("errors", "hits", size=max(1, len(self.thresholds)))
        self.add_sums("known")

    def update(self, probabilities: Float[Tensor, "c h w"], classes: Int[Tensor, "h w"]) -> None:
        """Count the wrong and the known pixels of one image."""
        classes = classes.cpu()
        if self.thresholds:
            inside, classes = foreground(probabilities), classes.clamp(max=1)
            predictions = [(inside > level).to(classes.dtype) for level in self.thresholds]
        else:
            predictions = [probabilities.max(0).indices.cpu()]  # faster than argmax on a CPU
        known = classes >= 0
        errors = torch.stack([((found != classes) & known).sum() for found in predictions])
        hits = torch.stack([((found == classes) & (classes > 0)).sum() for found in predictions])
        self.add(errors=errors, hits=hits, known=known.sum())

    def curve(self) -> Float[Tensor, " thresholds"]:
        """Return the error at each threshold; one number without thresholds."""
        if not self.f_score:
            return self.errors / self.known
        # Without foreground in truth and prediction, the error is 0.
        error = torch.where(self.errors > 0, self.errors / (2 * self.hits + self.errors), 0.0)
        return torch.where(self.known > 0, error, torch.nan)

    def details(self) -> dict[str, float]:
        """Return ``threshold``, if there is one."""
        return super().details() if self.thresholds else {}
