"""Connected regions of a mask."""

import numpy as np
from jaxtyping import Bool, Int32
from scipy import ndimage


def regions(mask: Bool[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """Give numbers to the pieces of a mask that hang together by the edges of pixels.

    >>> regions(np.eye(2, dtype=bool)).tolist()
    [[1, 0], [0, 2]]
    """
    numbered = np.empty(mask.shape, np.int32)
    ndimage.label(mask, output=numbered)
    return numbered
