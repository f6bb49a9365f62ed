"""Precision and recall of foreground pixels at many thresholds, from counts between them.

Davis and Goadrich 2006 (doi:10.1145/1143844.1143874). torchmetrics' BinaryPrecisionRecallCurve
returns the same, but in deterministic mode it takes gigabytes and seconds for small images.
"""

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.curves import PrecisionRecall

#: Every hundredth, and more levels near 0 and 1, where most probabilities of a trained network are.
ENDS = [10.0**-k for k in range(3, 7)]
LEVELS = sorted([*np.linspace(0, 1, 101).tolist(), *ENDS, *(1 - end for end in ENDS)])


class PixelCurve:
    """Counts of known pixels by probability. The memory does not grow with the number of images.

    >>> import torch
    >>> curve = PixelCurve()
    >>> curve.update(torch.tensor([[0.9, 0.6, 0.3]]), torch.tensor([[1, 0, -1]]))
    >>> found = curve.compute()
    >>> half = int(np.argmin(abs(found.thresholds - 0.5)))
    >>> float(found.precision[half]), float(found.recall[half])
    (0.5, 1.0)
    """

    def __init__(self) -> None:
        self.levels = np.array(LEVELS, np.float32)
        # Element k counts the pixels that reach k of the levels.
        self.true = np.zeros(len(LEVELS) + 1, np.int64)
        self.false = np.zeros(len(LEVELS) + 1, np.int64)

    def update(self, foreground: Float[Tensor, "h w"], classes: Int[Tensor, "h w"]) -> None:
        """Count one image's pixels. Pixels with a negative class are unknown and left out."""
        probabilities, truth = foreground.float().cpu().numpy(), classes.cpu().numpy()
        for counts, chosen in ((self.true, truth > 0), (self.false, truth == 0)):
            reached = np.searchsorted(self.levels, probabilities[chosen], side="right")
            counts += np.bincount(reached, minlength=len(counts))

    def compute(self) -> PrecisionRecall:
        """Return precision and recall at each level; NaN where they are not defined."""
        hits, false = (c[::-1].cumsum()[::-1][1:] for c in (self.true, self.false))
        with np.errstate(invalid="ignore"):
            precision, recall = hits / (hits + false), hits / self.true.sum()
        return PrecisionRecall(np.array(LEVELS), precision, recall)
