"""V_info of Arganda-Carreras et al. 2015 (doi:10.3389/fnana.2015.00142), information theoretic.

With S the predicted region and T the true object of a true foreground pixel, H entropy and I
mutual information: V_info = I(S;T) / (H(S) / 2 + H(T) / 2), the harmonic mean of
split = I(S;T) / H(S) and merge = I(S;T) / H(T).
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, Scores, contingency, region_sizes
from unet_exp.metrics.region_score import RegionScore


def information_scores(table: Contingency, singletons: bool = False) -> Scores:
    """V_info and its two parts from a table; NaN without any true object.

    If an entropy is 0, because there is a single object or region, the part that it would divide is
    1. So one object that is found as one region scores 1, and one that is found as two scores 0.
    For ``singletons``, see ``rand_scores``.
    """
    truth, predicted, pixels = table.within_truth()
    both, s, t = pixels, region_sizes(predicted, pixels), region_sizes(truth, pixels)
    if singletons:
        both, s = np.where(predicted > 0, both, 1), np.where(predicted > 0, s, 1)
    total = pixels.sum()
    if total == 0:
        return Scores(float("nan"), float("nan"), float("nan"))
    share = pixels / total
    h_both, h_s, h_t = (float((share * -np.log(size / total)).sum()) for size in (both, s, t))
    shared = max(0.0, min(h_s + h_t - h_both, h_s, h_t))  # rounding may violate these bounds
    return Scores(
        2 * shared / (h_s + h_t) if h_s + h_t else 1.0,
        shared / h_s if h_s else 1.0,
        shared / h_t if h_t else 1.0,
    )


def v_info(
    instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"], singletons: bool = False
) -> Float[Tensor, ""]:
    """Foreground-restricted information score of a segmentation: 1 is perfect, NaN without truth.

    >>> labels = torch.tensor([[1, 1, 0, 2, 2]])
    >>> v_info(torch.tensor([[1, 2, 0, 3, 3]]), labels)  # I = 1 bit, H(S) = 1.5, H(T) = 1
    tensor(0.8000, dtype=torch.float64)
    """
    score = information_scores(contingency(instances, labels), singletons).score
    return torch.tensor(score, dtype=torch.float64)


class VInfo(RegionScore):
    """V_info, best over thresholds of the mean over images.

    >>> metric = VInfo()
    >>> inside = torch.tensor([[0.9, 0.1, 0.9]])
    >>> metric.update(torch.stack([1 - inside, inside]), torch.tensor([[1, 0, 2]]))
    >>> metric.compute()
    tensor(1.)
    >>> metric.details()
    {'threshold': 0.2, 'split': 1.0, 'merge': 1.0}
    """

    score = staticmethod(information_scores)
