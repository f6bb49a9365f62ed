"""V_rand of Arganda-Carreras et al. 2015 (doi:10.3389/fnana.2015.00142), equations for Rand.

p_ij is the fraction of true foreground pixels in predicted region i and true object j; s_i and t_j
are its sums. V_rand = sum p_ij^2 / (sum s_i^2 / 2 + sum t_j^2 / 2), which is the harmonic mean of
split = sum p_ij^2 / sum t_j^2 and merge = sum p_ij^2 / sum s_i^2.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from unet_exp.metrics.contingency import Contingency, Scores, contingency, region_sizes
from unet_exp.metrics.region_score import RegionScore


def rand_scores(table: Contingency, singletons: bool = False) -> Scores:
    """V_rand and its two parts from a table; NaN without any true object.

    With ``singletons``, each pixel that is predicted as background is a region, as the challenge
    counts the lines that remain after border thinning. Otherwise they form one region.
    """
    truth, predicted, pixels = table.within_truth()
    both, s, t = pixels, region_sizes(predicted, pixels), region_sizes(truth, pixels)
    if singletons:
        both, s = np.where(predicted > 0, both, 1), np.where(predicted > 0, s, 1)
    # The square of a region's size is the sum of the size over its pixels. int64 keeps it exact.
    pairs, pairs_s, pairs_t = (int((pixels * size).sum()) for size in (both, s, t))
    if pairs_t == 0:
        return Scores(float("nan"), float("nan"), float("nan"))
    return Scores(2 * pairs / (pairs_s + pairs_t), pairs / pairs_t, pairs / pairs_s)


def v_rand(
    instances: Int[Tensor, "h w"], labels: Int[Tensor, "h w"], singletons: bool = False
) -> Float[Tensor, ""]:
    """Foreground-restricted Rand F-score of a segmentation: 1 is perfect, NaN without truth.

    >>> labels = torch.tensor([[1, 1, 0, 2, 2]])
    >>> v_rand(torch.tensor([[1, 1, 1, 1, 1]]), labels)  # 2 * (4 + 4) / (16 + 8)
    tensor(0.6667, dtype=torch.float64)
    """
    score = rand_scores(contingency(instances, labels), singletons).score
    return torch.tensor(score, dtype=torch.float64)


class VRand(RegionScore):
    """V_rand, best over thresholds of the mean over images.

    >>> metric = VRand()
    >>> inside = torch.tensor([[0.9, 0.1, 0.9]])
    >>> metric.update(torch.stack([1 - inside, inside]), torch.tensor([[1, 0, 2]]))
    >>> metric.compute()
    tensor(1.)
    >>> metric.details()
    {'threshold': 0.2, 'split': 1.0, 'merge': 1.0}
    """

    score = staticmethod(rand_scores)
