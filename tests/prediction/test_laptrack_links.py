"""Tracks with divisions, read and scored by py-ctcmetrics."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from unet_exp.prediction.segment_files import named_outputs
from unet_exp.prediction.tracks import require_tracker, track_by_laptrack, write_mask

pytest.importorskip("laptrack", reason="tracking needs the extra tracking")
validate_sequence = pytest.importorskip("ctc_metrics.scripts.validate").validate_sequence


def frame(*centres: tuple[int, int]) -> np.ndarray:
    """A mask of small squares, numbered in the order of their centres."""
    mask = np.zeros((60, 80), np.uint16)
    for number, (y, x) in enumerate(centres, 1):
        mask[y - 2 : y + 3, x - 2 : x + 3] = number
    return mask


def write(folder: Path, *frames: np.ndarray, missing: tuple[int, ...] = ()) -> list[Path]:
    folder.mkdir()
    numbers = [number for number in range(len(frames) + len(missing)) if number not in missing]
    paths = [folder / f"mask{number:03d}.tif" for number in numbers]
    for path, mask in zip(paths, frames, strict=True):
        write_mask(path, mask)
    return paths


def test_a_cell_that_moves_without_overlap_and_divides(tmp_path: Path) -> None:
    paths = write(
        tmp_path / "01_RES",
        frame((10, 10), (40, 60)),
        frame((40, 54), (10, 18)),
        frame((10, 26), (36, 44), (44, 46)),
        frame((34, 38), (46, 40), (10, 34)),
    )
    track_by_laptrack(paths)
    seen = [tifffile.imread(path) for path in paths]
    mover, parent = int(seen[0][10, 10]), int(seen[0][40, 60])
    assert [int(seen[n][10, 10 + 8 * n]) for n in range(4)] == [mover] * 4
    daughters = {int(seen[2][36, 44]), int(seen[2][44, 46])}
    assert {int(seen[3][34, 38]), int(seen[3][46, 40])} == daughters
    lines = (tmp_path / "01_RES" / "res_track.txt").read_text().splitlines()
    rows = [tuple(map(int, line.split())) for line in lines]
    tracks = {row[0]: row[1:] for row in rows}
    assert tracks == {
        mover: (0, 3, 0), parent: (0, 1, 0), **dict.fromkeys(daughters, (2, 3, parent))
    }  # fmt: skip
    assert validate_sequence(str(tmp_path / "01_RES"))["Valid"]


def test_gaps_and_empty_frames_end_tracks(tmp_path: Path) -> None:
    one = frame((20, 20), (40, 40))
    for name, frames, missing in (
        ("empty", [one, one, frame(), one], ()),
        ("gap", [one] * 3, (2,)),
    ):
        paths = write(tmp_path / name, *frames, missing=missing)
        track_by_laptrack(paths)
        found = [np.unique(tifffile.imread(path)).tolist() for path in paths]
        assert [numbers for numbers in found if numbers != [0]] == [[0, 1, 2], [0, 1, 2], [0, 3, 4]]


def test_a_single_cell_has_no_neighbour(tmp_path: Path) -> None:
    paths = write(tmp_path / "03_RES", frame((20, 20)), frame((50, 70)))
    track_by_laptrack(paths)
    assert (tmp_path / "03_RES" / "res_track.txt").read_text() == "1 0 1 0\n"


def test_cells_with_one_centre_are_linked(tmp_path: Path) -> None:
    ring = frame((30, 30), (30, 30))
    ring[20:41, 20:41][ring[20:41, 20:41] == 0] = 1
    paths = write(tmp_path / "03_RES", ring, ring, ring)
    track_by_laptrack(paths)
    assert (tmp_path / "03_RES" / "res_track.txt").read_text() == "1 0 2 0\n2 0 2 0\n"


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from unet_exp.api.job import compose

    with pytest.raises(ValueError, match="track=laptrack would have no effect with format=auto"):
        named_outputs(compose("predict", ["track=laptrack"]))
    monkeypatch.setattr("unet_exp.prediction.tracks.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'unet-exp\[tracking\]'"):
        require_tracker("laptrack")
