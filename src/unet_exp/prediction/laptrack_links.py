"""Link the cells of a sequence by LapTrack (doi:10.1093/bioinformatics/btac799).

It solves the linear assignment problem of Jaqaman et al. 2008 (doi:10.1038/nmeth.1237) between
consecutive frames, and then looks for divisions. Here the cost is the squared distance of centres.
"""

# pyright: reportMissingImports=false
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
from jaxtyping import Float
from scipy import ndimage
from scipy.spatial import KDTree

#: Pixels, more than an image is wide.
FAR = 1e6


class Track(NamedTuple):
    """First and last frame of a track, and the number of its parent; 0 if it has none."""

    first: int
    last: int
    parent: int = 0


class Cells(NamedTuple):
    """Numbers and centres (y, x) of the cells of a frame."""

    labels: list[int]
    centres: Float[np.ndarray, "n 2"]


def link_by_laptrack(
    masks: Mapping[int, Path],
) -> tuple[dict[int, dict[int, int]], dict[int, Track]]:
    """Return for each frame the track number of each label, and the tracks by number, from 1.

    A cell is followed up to the median distance of nearest neighbours, and a daughter is looked for
    as far. Frames without cells, and gaps in the frame numbers, end all tracks.
    """
    found = {frame: cells_of(tifffile.imread(path)) for frame, path in sorted(masks.items())}
    reach = usual_distance(found)
    names: dict[int, dict[int, int]] = {frame: {} for frame in found}
    tracks: dict[int, Track] = {}
    for run in runs(found):
        numbered, parents = linked_run(run, reach)
        before = len(tracks)
        for frame, numbers in numbered.items():
            for label, number in numbers.items():
                names[frame][label] = name = before + number
                parent = before + parents[number] if number in parents else 0
                first = tracks[name].first if name in tracks else frame
                tracks[name] = Track(first, frame, parent)
    return names, tracks


def linked_run(
    run: dict[int, Cells], reach: float
) -> tuple[dict[int, dict[int, int]], dict[int, int]]:
    """Return the track number of each label of consecutive frames, and the parents of tracks."""
    if len(run) == 1:
        return {
            frame: {label: number for number, label in enumerate(cells.labels, 1)}
            for frame, cells in run.items()
        }, {}
    import pandas as pd
    from laptrack import LapTrack

    table: Any = pd.DataFrame(
        [
            (frame, label, *centre)
            for frame, cells in run.items()
            for label, centre in zip(cells.labels, cells.centres.tolist(), strict=True)
        ],
        columns=["time", "label", "y", "x"],
    )
    # pydantic's fields have defaults, which pyright does not see here
    tracker = LapTrack(  # pyright: ignore[reportCallIssue]
        cutoff=reach**2, splitting_cutoff=reach**2, gap_closing_cutoff=False
    )
    linked, divisions, _ = tracker.predict_dataframe(
        table, ["y", "x"], frame_col="time", only_coordinate_cols=False
    )
    ids = dict(enumerate(np.unique(linked["track_id"]).tolist(), 1))
    numbers = {old: number for number, old in ids.items()}
    named: dict[int, dict[int, int]] = {frame: {} for frame in run}
    columns = (linked[name].tolist() for name in ("time", "label", "track_id"))
    for frame, label, old in zip(*columns, strict=True):
        named[int(frame)][int(label)] = numbers[old]
    pairs = divisions[["child_track_id", "parent_track_id"]] if len(divisions) else divisions
    return named, {numbers[child]: numbers[parent] for child, parent in pairs.to_numpy().tolist()}


def cells_of(labels: np.ndarray) -> Cells:
    """Return the cells of a mask.

    >>> cells_of(np.array([[0, 0, 5, 5], [2, 0, 0, 0]])).centres.tolist()
    [[1.0, 0.0], [0.0, 2.5]]
    """
    found = np.unique(labels[labels > 0]).tolist()
    centres = ndimage.center_of_mass(labels > 0, labels, found) if found else []
    return Cells(found, np.array(centres, np.float64).reshape(-1, 2))


def usual_distance(found: Mapping[int, Cells]) -> float:
    """Return the median distance of a cell to the nearest one in its frame, in pixels.

    Cells with one centre, such as a ring and its core, do not count. ``FAR`` if no frame has two
    others.
    """
    several = [cells.centres for cells in found.values() if len(cells.labels) > 1]
    nearest = [KDTree(centres).query(centres, 2)[0][:, 1] for centres in several]
    distances = np.concatenate([*nearest, np.empty(0)])
    apart = distances[distances > 0]
    return float(np.median(apart)) if len(apart) else FAR


def runs(found: Mapping[int, Cells]) -> Iterator[dict[int, Cells]]:
    """Yield the longest runs of consecutive frames that have cells.

    >>> one, none = cells_of(np.ones((1, 1), int)), cells_of(np.zeros((1, 1), int))
    >>> [list(run) for run in runs({0: one, 1: one, 2: none, 3: one, 5: one})]
    [[0, 1], [3], [5]]
    """
    run: dict[int, Cells] = {}
    for frame, cells in found.items():
        if run and (frame - 1 not in run or not cells.labels):
            yield run
            run = {}
        if cells.labels:
            run[frame] = cells
    if run:
        yield run
