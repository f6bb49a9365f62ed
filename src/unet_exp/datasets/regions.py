"""Connected regions of a mask."""

import numpy as np
from jaxtyping import Bool, Int32
from scipy import ndimage


def regions(mask: Bool[np.ndarray, "h w"], diagonal: bool = False) -> Int32[np.ndarray, "h w"]:
    """Give numbers to the pieces of a mask that hang together by edges, or by corners as well.

    >>> regions(np.eye(2, dtype=bool)).tolist()
    [[1, 0], [0, 2]]
    >>> regions(np.eye(2, dtype=bool), diagonal=True).tolist()
    [[1, 0], [0, 1]]
    """
    numbered = np.empty(mask.shape, np.int32)
    ndimage.label(mask, np.ones((3, 3)) if diagonal else None, output=numbered)
    return numbered
