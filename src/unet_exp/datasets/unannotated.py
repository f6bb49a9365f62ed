"""Cells that an annotation leaves out (Cell Tracking Challenge, doi:10.1038/s41592-023-01879-y).

In some frames the challenge's gold masks show only some of the cells. The tracking markers, a
small blob per cell, are complete. A cell is annotated if labelled pixels cover more than half of
its marker, which is the challenge's rule for detection (doi:10.1371/journal.pone.0144959). Every
other marker is that of a missing cell.
"""

import numpy as np
from jaxtyping import Bool, Int32
from scipy import ndimage

MARGIN = 5.0
"""Pixels. In DIC-C2DH-HeLa, 99.8 % of gold pixels are within 5 pixels of their silver object."""


def missing_markers(
    labels: Int32[np.ndarray, "h w"], markers: Int32[np.ndarray, "h w"]
) -> list[int]:
    """Return the markers that labelled pixels cover by half or less.

    >>> markers = np.array([[1, 1, 0, 2, 2, 2]], np.int32)
    >>> missing_markers(np.array([[5, 0, 0, 6, 6, 0]], np.int32), markers)
    [1]
    """
    marked = markers > 0
    size = np.bincount(markers[marked])
    covered = np.bincount(markers[marked & (labels > 0)], minlength=len(size))
    return [int(i) for i in np.flatnonzero(size) if 2 * covered[i] <= size[i]]


def fill_in(
    labels: Int32[np.ndarray, "h w"],
    markers: Int32[np.ndarray, "h w"] | None,
    silver: Int32[np.ndarray, "h w"],
) -> Int32[np.ndarray, "h w"]:
    """Add the silver objects of missing cells to the background, as additional instances.

    >>> gold, silver = np.array([[[7, 7, 0, 0, 0]], [[1, 1, 2, 2, 0]]], np.int32)
    >>> fill_in(gold, None, silver).tolist()
    [[7, 7, 8, 8, 0]]
    """
    markers = silver if markers is None else markers
    filled = labels.copy()
    objects = {_object_under(markers == i, silver) for i in missing_markers(labels, markers)}
    for number, i in enumerate(sorted(objects - {0}), start=int(labels.max()) + 1):
        filled[(silver == i) & (labels == 0)] = number
    return filled


def mark_unknown(
    labels: Int32[np.ndarray, "h w"],
    markers: Int32[np.ndarray, "h w"] | None,
    silver: Int32[np.ndarray, "h w"] | None,
) -> Int32[np.ndarray, "h w"]:
    """Set background that may belong to a missing cell to -1.

    For each missing marker, this is

    - the silver object that covers more than half of the marker, and the marker, both widened by
      `MARGIN`;
    - if there is no such object: a disc around the marker, so large that it contains every round
      cell of median size with this marker;
    - if there is no silver mask: all background of the frame.

    Without markers, silver objects serve as markers. Without either, the frame counts as complete.

    >>> gold = np.array([[7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]], np.int32)
    >>> silver = np.array([[1, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]], np.int32)
    >>> mark_unknown(gold, None, silver).tolist()
    [[7, 7, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0]]
    """
    markers = silver if markers is None else markers
    if markers is None or not (missing := missing_markers(labels, markers)):
        return labels
    if silver is None:
        return np.where(labels == 0, np.int32(-1), labels)
    outlined, hidden = np.zeros(labels.shape, bool), np.zeros(labels.shape, bool)
    for i in missing:
        marker = markers == i
        if under := _object_under(marker, silver):
            outlined |= marker | (silver == under)
        else:
            hidden |= marker
    unknown = _widened(outlined, MARGIN) | _widened(hidden, _median_diameter(labels, silver))
    return np.where(unknown & (labels == 0), np.int32(-1), labels)


def _object_under(marker: Bool[np.ndarray, "h w"], silver: Int32[np.ndarray, "h w"]) -> int:
    """Return the silver object on more than half of a marker, or 0."""
    counts = np.bincount(np.maximum(silver[marker], 0))  # -1 is unknown, not an object
    counts[0] = 0
    best = int(counts.argmax())
    return best if 2 * counts[best] > marker.sum() else 0


def _median_diameter(labels: Int32[np.ndarray, "h w"], silver: Int32[np.ndarray, "h w"]) -> float:
    """Return the diameter of a disc with the median area of cells; infinite without cells."""
    areas = np.concatenate([np.bincount(a[a > 0]) for a in (labels, silver)])
    areas = areas[areas > 0]
    return 2 * float(np.sqrt(np.median(areas) / np.pi)) if areas.size else np.inf


def _widened(mask: Bool[np.ndarray, "h w"], reach: float) -> Bool[np.ndarray, "h w"]:
    if not mask.any():
        return mask
    return np.asarray(ndimage.distance_transform_edt(~mask)) <= reach
