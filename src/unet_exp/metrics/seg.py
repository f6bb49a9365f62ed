"""SEG of the Cell Tracking Challenge: Maska et al. 2014 (doi:10.1093/bioinformatics/btu080).

For each gold object R, the result object S with |R and S| > |R| / 2, of which there is at most
one, scores |R and S| / |R or S|; without such an S the object scores 0. SEG is the mean over R.
"""

import numpy as np
import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, contingency
from unet_exp.metrics.measure import Measure
from unet_exp.metrics.object_matching import count_objects, iou_of_pairs, is_found


def matched_jaccards(table: Contingency) -> tuple[Float64[np.ndarray, " matched"], int]:
    """Return the Jaccard index of each gold object found, and the number of gold objects."""
    return iou_of_pairs(table)[is_found(table)], count_objects(table.truth)


def seg(instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> Float[Tensor, ""]:
    """Mean Jaccard index over the gold objects of one image; NaN without any.

    Unknown pixels (label -1) are removed from the predicted objects first.

    >>> labels = torch.tensor([[1, 1, 1, 0, 2, 2]])
    >>> seg(torch.tensor([[4, 4, 0, 0, 5, 0]]), labels)  # 2/3 for 1; half of 2 is no match
    tensor(0.3333, dtype=torch.float64)
    """
    jaccards, count = matched_jaccards(contingency(instances, labels))
    score = jaccards.sum() / count if count else torch.nan
    return torch.tensor(score, dtype=torch.float64)


class SEG(Measure):
    """SEG over the gold objects of all images.

    >>> metric = SEG()
    >>> metric.update(torch.tensor([[4, 4, 0]]), torch.tensor([[1, 1, 1]]))
    >>> metric.update(torch.tensor([[1, 0, 0]]), torch.tensor([[1, 0, 2]]))
    >>> metric.compute()  # (2/3 + 1 + 0) / 3
    tensor(0.5556)
    """

    jaccard_sum: Float[Tensor, ""]
    objects: Int[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        self.add_sums("jaccard_sum", dtype=torch.float32)
        self.add_sums("objects")

    def update(self, instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"]) -> None:
        """Match the gold objects of one image."""
        jaccards, count = matched_jaccards(contingency(instances, labels))
        self.add(jaccard_sum=jaccards.sum(), objects=count)

    def compute(self) -> Float[Tensor, ""]:
        """Average over all gold objects."""
        return self.jaccard_sum / self.objects
