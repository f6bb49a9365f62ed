"""Splits, mergers and other errors of topology that remain after warping, in pixels.

The rules are those of the ISBI 2012 challenge's "minimum splits and mergers warping error". They
use the 4-connected objects of the warped truth among the eight neighbours of a wrong pixel.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from unet_exp.connectivity import label_components
from unet_exp.metrics.simple_points import NEIGHBOURS, PIECES, neighbourhoods


class TopologyErrors(NamedTuple):
    """Wrong pixels after warping; ``others`` are pixels of missed or false objects and holes."""

    splits: int
    mergers: int
    others: int


def topology_errors(
    warped: Bool[np.ndarray, "h w"], wrong: Bool[np.ndarray, "h w"], radius: int | None = 20
) -> TopologyErrors:
    """Count the ``wrong`` pixels of a warped truth by the kind of error.

    A background pixel beside two or more objects would merge them. A foreground pixel splits an
    object if it is beside another object than its own, or if its neighbours are not connected
    without it. The connection is searched within ``radius`` pixels; None means the whole image,
    which is slower.

    >>> topology_errors(np.array([[1, 1, 0, 1, 1]]) > 0, np.array([[0, 0, 1, 0, 0]]) > 0)
    TopologyErrors(splits=0, mergers=1, others=0)
    >>> topology_errors(np.array([[1, 1, 1, 1, 1]]) > 0, np.array([[0, 0, 1, 0, 0]]) > 0)
    TopologyErrors(splits=1, mergers=0, others=0)
    """
    rows, columns = np.nonzero(wrong)
    objects = np.pad(label_components(warped), 1)
    near = np.sort([objects[rows + 1 + r, columns + 1 + c] for r, c in NEIGHBOURS], axis=0)
    beside = (np.diff(near, axis=0, prepend=0) > 0).sum(0)
    inside = warped[rows, columns]
    split = inside & (beside > 1)
    # Neighbours in one component stay connected, so pixels further away do not matter.
    doubtful = inside & (beside == 1) & (PIECES[neighbourhoods(warped)[rows, columns]] > 1)
    reach = max(warped.shape) if radius is None or radius > min(warped.shape) else radius
    padded = np.pad(warped, reach + 1)
    for i in np.flatnonzero(doubtful):
        top, left = rows[i] + 1, columns[i] + 1
        window = padded[top : top + 2 * reach + 1, left : left + 2 * reach + 1].copy()
        window[reach, reach] = False
        around = label_components(window)[reach - 1 : reach + 2, reach - 1 : reach + 2]
        split[i] = len(set(around.ravel().tolist()) - {0}) > 1
    mergers = int((~inside & (beside > 1)).sum())
    return TopologyErrors(int(split.sum()), mergers, len(rows) - int(split.sum()) - mergers)
