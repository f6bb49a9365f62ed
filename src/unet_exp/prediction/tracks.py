"""Tracks of the Cell Tracking Challenge: cells with the same number in consecutive masks.

The masks of a sequence, ``mask000.tif`` and so on, are renumbered in place; ``res_track.txt`` has a
line for each track: its number, first and last frame, and the number of its parent, or 0.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import Int

from unet_exp.files import replacing
from unet_exp.prediction.laptrack_links import Track, link_by_laptrack
from unet_exp.ranges import require_choice

MOST = np.iinfo(np.uint16).max


def require_tracker(name: str) -> None:
    """Refuse an unknown way of linking, or one whose package is not installed.

    >>> require_tracker("nearest")
    Traceback (most recent call last):
    ValueError: track=nearest is unknown. Choose one of overlap, laptrack.
    """
    require_choice("track", name, TRACKERS)
    if name == "laptrack" and find_spec("laptrack") is None:
        raise ValueError(
            "track=laptrack needs laptrack, which is not installed. Install the extra: pip install "
            "'unet-exp[tracking]'. Or choose track=overlap."
        )


def track_by_overlap(masks: Sequence[Path]) -> None:
    """Track the objects of a sequence by overlap from frame to frame, and write the tracks.

    A gap in the frame numbers ends all tracks. Raises ValueError if there are more tracks than 16
    bits can number; the masks before that frame are then written.
    """
    before, last, next_number = None, -2, 1
    tracks: dict[int, Track] = {}
    for path in masks:
        frame = frame_of(path)
        now = tifffile.imread(path).astype(np.int32)
        if before is None or frame != last + 1 or before.shape != now.shape:
            before = np.zeros_like(now)
        now, next_number = linked(before, now, next_number)
        require_numbers(path.parent, next_number - 1)
        write_mask(path, now)
        for cell in np.unique(now[now > 0]).tolist():
            tracks[cell] = Track(tracks.get(cell, Track(frame, frame)).first, frame)
        before, last = now, frame
    write_tracks(masks[0].parent, tracks)


def linked(
    before: Int[np.ndarray, "h w"], now: Int[np.ndarray, "h w"], following: int
) -> tuple[Int[np.ndarray, "h w"], int]:
    """Renumber objects as in the previous frame, and new objects from ``following``.

    As in the detection of the challenge, an object continues in the object that covers more than
    half of it. If several objects continue in one, it gets the number of the one with the largest
    overlap. Returns the renumbered frame and the next free number.

    >>> before, now = np.array([[7, 7, 7, 0, 0, 8]]), np.array([[0, 2, 2, 0, 1, 0]])
    >>> linked(before, now, following=9)
    (array([[0, 7, 7, 0, 9, 0]]), 10)
    """
    both = (before > 0) & (now > 0)
    pairs, pixels = np.unique(np.stack([before[both], now[both]]), axis=1, return_counts=True)
    names = np.zeros(int(now.max(initial=0)) + 1, now.dtype)
    areas = np.bincount(before.ravel())
    for place in np.argsort(pixels, kind="stable"):  # the largest last, so that it counts
        old, new = pairs[:, place]
        if 2 * pixels[place] > areas[old]:
            names[new] = old
    fresh = np.setdiff1d(np.unique(now), np.append(np.flatnonzero(names), 0))
    names[fresh] = np.arange(following, following + len(fresh))
    return names[now], following + len(fresh)


def track_by_laptrack(masks: Sequence[Path]) -> None:
    """Track the objects of a sequence by LapTrack, with divisions, and write the tracks.

    A gap in the frame numbers ends all tracks. Raises ValueError if there are more tracks than 16
    bits can number; the masks are then as they were.
    """
    names, tracks = link_by_laptrack({frame_of(path): path for path in masks})
    require_numbers(masks[0].parent, len(tracks))
    for path in masks:
        labels = tifffile.imread(path)
        renamed = np.zeros(int(labels.max(initial=0)) + 1, np.uint16)
        for label, number in names.get(frame_of(path), {}).items():
            renamed[label] = number
        write_mask(path, renamed[labels])
    write_tracks(masks[0].parent, tracks)


TRACKERS: dict[str, Callable[[Sequence[Path]], None]] = {
    "overlap": track_by_overlap,
    "laptrack": track_by_laptrack,
}
RULES = {
    "overlap": "Cells are linked by overlap: a cell keeps its number in the next frame if more "
    "than half of it is covered there. Divisions are not found.",
    "laptrack": "Cells are linked by LapTrack: by the distances between their centres, up to the "
    "usual distance between neighbours. Divisions are found.",
}


def frame_of(mask: Path) -> int:
    """Return the frame number in the name of a mask."""
    return int(mask.stem.removeprefix("mask"))


def require_numbers(folder: Path, count: int) -> None:
    """Raise ValueError if there are more tracks than a mask can number."""
    if count > MOST:
        raise ValueError(
            f"{folder} has more than {MOST} cells over time, and the challenge's format "
            "allows no more. Raise postprocessing.min_size."
        )


def write_tracks(folder: Path, tracks: Mapping[int, Track]) -> None:
    """Write ``res_track.txt`` atomically."""
    lines = [
        f"{number} {track.first} {track.last} {track.parent}\n"
        for number, track in sorted(tracks.items())
    ]
    with replacing(folder / "res_track.txt") as part:
        part.write_text("".join(lines))


def write_mask(path: Path, labels: np.ndarray) -> None:
    """Write a 16-bit mask atomically."""
    with replacing(path) as part:
        tifffile.imwrite(
            part, labels.astype(np.uint16), photometric="minisblack", compression="zlib"
        )
