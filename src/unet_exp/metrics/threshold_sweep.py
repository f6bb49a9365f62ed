"""Scores of the regions in a probability map at ten thresholds, as the ISBI 2012 challenge does.

Ronneberger et al. 2015, section 4; Arganda-Carreras et al. 2015 (doi:10.3389/fnana.2015.00142).
"""

from abc import abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, contingency
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.regions import regions

CHALLENGE = tuple(level / 10 for level in range(10))


def checked_thresholds(thresholds: list[float] | None) -> tuple[float, ...]:
    """Give the levels as a tuple, for None the challenge's; ValueError outside [0, 1).

    >>> checked_thresholds([0.25, 0.5])
    (0.25, 0.5)
    """
    if thresholds is None:
        return CHALLENGE
    levels = tuple(float(level) for level in thresholds)
    if not levels or min(levels) < 0 or max(levels) >= 1:
        raise ValueError(
            f"thresholds={list(levels)} does not cut a probability: give one or more numbers "
            f"from 0 up to, not including, 1, such as [0.3, 0.5, 0.7]."
        )
    return levels


class ThresholdSweep(Measure):
    """Best over thresholds of the mean over images of a score of regions.

    Parameters
    ----------
    thresholds
        A pixel is foreground where its probability is larger; None: the challenge's 0, 0.1, .. 0.9.
    thin_borders
        True, the challenge's measure: regions are flooded over the predicted background, and the
        lines left between them count as single pixels. False: the predicted background counts
        as one region, as in scikit-image's ``adapted_rand_error`` on connected components.
    """

    score_sum: Float[Tensor, " thresholds"]
    images: Int[Tensor, ""]

    def __init__(self, thresholds: list[float] | None = None, thin_borders: bool = True) -> None:
        super().__init__()
        self.thresholds = checked_thresholds(thresholds)
        self.thin_borders = thin_borders
        self.add_sum("score_sum", len(self.thresholds), torch.float32)
        self.add_sum("images")

    @abstractmethod
    def score(self, table: Contingency, singletons: bool) -> float:
        """Score one labelled threshold; each measure brings its own formula."""

    def update(self, probabilities: Float[Tensor, "c h w"], labels: Int[Tensor, "h w"]) -> None:
        """Score one whole image at every threshold; one without a true object is left out."""
        if not (labels > 0).any():
            return
        foreground, labels = 1 - probabilities[0].detach().cpu().float(), labels.cpu()
        scores = [
            self.score(
                contingency(regions(foreground > level, self.thin_borders), labels),
                self.thin_borders,
            )
            for level in self.thresholds
        ]
        self.score_sum += torch.tensor(scores).to(self.score_sum)
        self.images += 1

    def curve(self) -> Float[Tensor, " thresholds"]:
        """Average over images at each threshold; NaN without images."""
        return self.score_sum / self.images

    def best_threshold(self) -> float:
        """Name the threshold of ``compute``'s score."""
        return self.thresholds[int(self.curve().argmax())]

    def compute(self) -> Float[Tensor, ""]:
        """Take the best point of the curve."""
        return self.curve().max()
