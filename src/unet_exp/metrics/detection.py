"""What the Cell Tracking Challenge calls found (doi:10.1093/bioinformatics/btu080), SEG and DET.

A result object S finds a reference object R if it covers more than half: |R and S| > |R| / 2.
"""

import numpy as np
from jaxtyping import Bool

from unet_exp.metrics.contingency import Contingency, region_sizes


def finds(table: Contingency) -> Bool[np.ndarray, " n"]:
    """Tell of each cell whether its result object finds its reference object; at most one does.

    >>> truth, predicted = np.array([0, 1, 1, 2, 2]), np.array([7, 7, 8, 7, 8])
    >>> finds(Contingency(truth, predicted, np.array([9, 3, 2, 1, 1])))
    array([False,  True, False, False, False])
    """
    truth, predicted, pixels = table
    return (truth > 0) & (predicted > 0) & (2 * pixels > region_sizes(truth, pixels))


def objects(regions: np.ndarray) -> int:
    """Count the regions other than the background.

    >>> objects(np.array([0, 3, 3, 5]))
    2
    """
    return len(np.unique(regions[regions > 0]))
