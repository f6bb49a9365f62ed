"""Values to try for the parameters of postprocessing, given the true objects.

The steps are coarse on purpose: with few images, differences between fine steps are chance.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int, Int64
from torch import Tensor

THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
SEED_THRESHOLDS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98]
CONTRASTS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5]
SHAPES = [0.0, 0.25, 0.5, 1.0]
FLOW_THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 4.0]
DISTANCES = [0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120]


def lengths_and_sizes(labels: Sequence[Int[Tensor, "_ _"]]) -> dict[str, list[Any]]:
    """Return values for parameters in pixels, based on the sizes of true objects.

    - ``min_size`` up to the size that all but a twentieth of the objects exceed,
    - ``smoothing`` and ``grow`` up to a quarter of the radius of a disk of median size.

    >>> import torch
    >>> lengths_and_sizes([torch.ones(20, 20, dtype=torch.int32)])
    {'min_size': [0, 2, 5, 10, 20, 50, 100, 200],
     'smoothing': [0.0, 1.0, 2.0],
     'grow': [0, 1, 2]}
    """
    sizes = object_sizes(labels)
    if not len(sizes):
        return {}
    small, median = np.quantile(sizes, (0.05, 0.5))
    radius = float(np.sqrt(median / np.pi))
    return {
        "min_size": [0, *one_two_five(small / 200, small)],
        "smoothing": [float(d) for d in DISTANCES if d <= radius / 4],
        "grow": [d for d in DISTANCES if d <= radius / 4],
    }


def object_sizes(labels: Sequence[Int[Tensor, "_ _"]]) -> Int64[np.ndarray, " objects"]:
    """Return the pixel counts of all objects in all images, without unknown pixels (-1)."""
    counts = [np.zeros(0, np.int64)]
    for image in labels:
        flat = image.numpy().ravel()
        counts.append(np.bincount(flat[flat > 0]))
    sizes = np.concatenate(counts)
    return sizes[sizes > 0]


def one_two_five(lowest: float, highest: float) -> list[int]:
    """List the whole numbers 1, 2, 5, 10, 20, 50, ... between two bounds.

    >>> one_two_five(0.4, 120)
    [1, 2, 5, 10, 20, 50, 100]
    """
    steps = (step * 10**power for power in range(12) for step in (1, 2, 5))
    return [step for step in steps if lowest <= step <= highest]
