"""Scores of the regions in a map at each threshold, averaged over images: V_rand, V_info.

Arganda-Carreras et al. 2015 (doi:10.3389/fnana.2015.00142).
"""

from abc import abstractmethod
from collections.abc import Hashable
from hashlib import blake2b

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.border_thinning import label_foreground
from unet_exp.metrics.contingency import Contingency, Scores, contingency
from unet_exp.metrics.threshold_sweep import SplitMergeSweep, foreground

#: The tables of the latest image, by a hash of everything they depend on.
LATEST: dict[Hashable, list[Contingency]] = {}


def tables(
    inside: Float[Tensor, "h w"],
    labels: Int[Tensor, "h w"],
    thresholds: tuple[float, ...],
    thin_borders: bool,
) -> list[Contingency]:
    """Return the contingency of the true regions and those above each threshold.

    The latest tables are cached, because V_rand and V_info of an image need the same ones.

    >>> inside, labels = torch.tensor([[0.9, 0.4, 0.9]]), torch.tensor([[1, 1, 2]])
    >>> [table.pixels.tolist() for table in tables(inside, labels, (0.1, 0.5), False)]
    [[2, 1], [1, 1, 1]]
    """
    images = [tensor.contiguous().numpy() for tensor in (inside, labels)]
    contents = [(image.shape, image.dtype, blake2b(image.data).digest()) for image in images]
    key = (thresholds, thin_borders, *contents)
    found = LATEST.get(key)
    if found is None:
        found = [
            contingency(label_foreground(inside > level, thin_borders), labels)
            for level in thresholds
        ]
        LATEST.clear()
        LATEST[key] = found
    return found


class RegionScore(SplitMergeSweep):
    """A score of regions: the mean over images at each threshold, and the best threshold counts.

    Parameters
    ----------
    thresholds
        As for `unet_exp.metrics.threshold_sweep.ThresholdSweep`.
    thin_borders
        True gives the challenge's measure: regions are flooded over the predicted background, and
        each pixel of the remaining lines counts as a region. With False, the predicted background
        is one region, as in scikit-image's ``adapted_rand_error`` on connected components.
    """

    score_sum: Float[Tensor, " thresholds"]
    split_sum: Float[Tensor, " thresholds"]
    merge_sum: Float[Tensor, " thresholds"]
    images: Int[Tensor, ""]

    def __init__(self, thresholds: list[float] | None = None, thin_borders: bool = True) -> None:
        super().__init__(thresholds)
        self.thin_borders = thin_borders
        sums = ("score_sum", "split_sum", "merge_sum")
        self.add_sums(*sums, size=len(self.thresholds), dtype=torch.float32)
        self.add_sums("images")

    @staticmethod
    @abstractmethod
    def score(table: Contingency, singletons: bool = False) -> Scores:
        """Return the score of one threshold from its table."""

    def update(self, probabilities: Float[Tensor, "c h w"], labels: Int[Tensor, "h w"]) -> None:
        """Score one whole image at every threshold; one without a true object is left out."""
        if not (labels > 0).any():
            return
        found = tables(foreground(probabilities), labels.cpu(), self.thresholds, self.thin_borders)
        scores = [self.score(table, self.thin_borders) for table in found]
        score, split, merge = zip(*scores, strict=True)
        self.add(score_sum=score, split_sum=split, merge_sum=merge, images=1)

    def curve(self) -> Float[Tensor, " thresholds"]:
        """Average over images at each threshold; NaN without images."""
        return self.score_sum / self.images

    def split_curve(self) -> Float[Tensor, " thresholds"]:
        """Average the split scores over images: 1 where no object is split."""
        return self.split_sum / self.images

    def merge_curve(self) -> Float[Tensor, " thresholds"]:
        """Average the merge scores over images: 1 where no objects are merged."""
        return self.merge_sum / self.images
