"""Rand error of the ISBI 2012 challenge, on Rand 1971 (doi:10.1080/01621459.1971.10482356).

It is one minus the F-score of pairs of pixels; V_rand replaced it later. ``split`` is the fraction
of the pairs within a true object that are also within one predicted region. ``merge`` is the
fraction of the pairs within a predicted region that are also within one true object. Only true
foreground counts, borders are not thinned, and pixels predicted as background form no pairs.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.border_thinning import label_foreground
from unet_exp.metrics.contingency import Contingency, contingency, region_sizes
from unet_exp.metrics.threshold_sweep import SplitMergeSweep, foreground


class Pairs(NamedTuple):
    """Numbers of ordered pairs of pixels that share a region: in both images, and in each."""

    shared: int
    predicted: int
    true: int


def pairs(table: Contingency) -> Pairs:
    """Count the pairs of true foreground pixels."""
    truth, predicted, pixels = table.within_truth()
    s, t = region_sizes(predicted, pixels), region_sizes(truth, pixels)
    # Each of a region's n pixels pairs with n - 1 others.
    within = predicted > 0
    return Pairs(
        int((pixels * (pixels - 1))[within].sum()),
        int((pixels * (s - 1))[within].sum()),
        int((pixels * (t - 1)).sum()),
    )


def rand_error(instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> Float[Tensor, ""]:
    """Foreground-restricted Rand error of a segmentation: 0 is perfect, NaN without true pairs.

    >>> labels = torch.tensor([[1, 1, 0, 2, 2]])
    >>> rand_error(torch.tensor([[1, 1, 1, 1, 1]]), labels)  # 1 - 2 * (2 + 2) / (12 + 4)
    tensor(0.5000, dtype=torch.float64)
    """
    counted = pairs(contingency(instances, labels))
    shared, predicted, true = torch.tensor(counted, dtype=torch.float64)
    return 1 - 2 * shared / (predicted + true)


class RandError(SplitMergeSweep):
    """Rand error of the pairs of all images together, at the best threshold.

    Parameters
    ----------
    thresholds
        As for `unet_exp.metrics.threshold_sweep.ThresholdSweep`.

    >>> metric = RandError()
    >>> inside = torch.tensor([[0.9, 0.9, 0.1, 0.9, 0.9]])
    >>> metric.update(torch.stack([1 - inside, inside]), torch.tensor([[1, 1, 0, 2, 2]]))
    >>> metric.compute()
    tensor(0.)
    """

    higher_is_better = False
    shared: Int[Tensor, " thresholds"]
    predicted: Int[Tensor, " thresholds"]
    true: Int[Tensor, ""]

    def __init__(self, thresholds: list[float] | None = None) -> None:
        super().__init__(thresholds)
        self.add_sums("shared", "predicted", size=len(self.thresholds))
        self.add_sums("true")

    def update(self, probabilities: Float[Tensor, "c h w"], labels: Int[Tensor, "h w"]) -> None:
        """Count the pairs of one image at every threshold."""
        inside, labels = foreground(probabilities), labels.cpu()
        counted = [
            pairs(contingency(label_foreground(inside > level, thin_borders=False), labels))
            for level in self.thresholds
        ]
        shared, predicted, true = zip(*counted, strict=True)
        self.add(shared=shared, predicted=predicted, true=true[0])

    def curve(self) -> Float[Tensor, " thresholds"]:
        """Return the error at each threshold."""
        return 1 - 2 * self.shared / (self.predicted + self.true)

    def split_curve(self) -> Float[Tensor, " thresholds"]:
        """Fraction of the true pairs that are together in the prediction, at each threshold."""
        return self.shared / self.true

    def merge_curve(self) -> Float[Tensor, " thresholds"]:
        """Fraction of the predicted pairs that are together in the truth, at each threshold."""
        return self.shared / self.predicted
