"""Results for the challenges, read by their own readers."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from unet_exp.images.tags import Tags
from unet_exp.prediction.challenge_results import CellTrackingWriter, IsbiWriter
from unet_exp.prediction.segmented import Segmented
from unet_exp.prediction.tracks import track_by_overlap

validate_sequence = pytest.importorskip("ctc_metrics.scripts.validate").validate_sequence

#: A cell that moves, one that comes later, and one that is gone after the first frame.
FRAMES = [
    np.array([[1, 1, 1, 0, 0, 0, 2, 2]], np.uint32),
    np.array([[0, 0, 1, 1, 0, 0, 0, 0]], np.uint32),
    np.array([[0, 0, 2, 2, 0, 1, 1, 1]], np.uint32),
]


def segmented(*pages: np.ndarray) -> Segmented:
    probabilities = [(page > 0) * np.float32(0.75) for page in pages]
    axes, shape = ("", ()) if len(pages) == 1 else ("T", (len(pages),))
    largest = max(int(page.max()) for page in pages)
    return Segmented([*pages], probabilities, [*pages], [], largest, axes, shape, Tags())


def test_frames_become_a_folder_that_passes_the_challenges_checks(tmp_path: Path) -> None:
    results = CellTrackingWriter(tmp_path)
    paths = [Path(f"set/01/t{number:03d}.tif") for number in range(3)]
    for path, page in zip(paths, FRAMES, strict=True):
        results.write(path, segmented(page))
    assert results.finish(paths) == [tmp_path / "01_RES"]
    names = sorted(p.name for p in (tmp_path / "01_RES").iterdir())
    assert names == ["mask000.tif", "mask001.tif", "mask002.tif", "res_track.txt"]
    first = tifffile.imread(tmp_path / "01_RES" / "mask000.tif")
    assert first.dtype == np.uint16
    # A third of the first cell lies in the second frame's, so that one is another cell.
    tracks = (tmp_path / "01_RES" / "res_track.txt").read_text().split("\n")
    assert tracks == ["1 0 0 0", "2 0 0 0", "3 1 2 0", "4 2 2 0", ""]
    assert validate_sequence(str(tmp_path / "01_RES"), threads=1) == {"Valid": 1}


def test_a_second_call_numbers_all_frames_anew(tmp_path: Path) -> None:
    results = CellTrackingWriter(tmp_path)
    paths = [Path(f"01/t{number:03d}.tif") for number in range(3)]
    for path, page in zip(paths[:2], FRAMES, strict=False):
        results.write(path, segmented(page))
    results.finish(paths[:2])
    results.write(paths[2], segmented(FRAMES[2]))
    results.finish(paths)
    tracks = (tmp_path / "01_RES" / "res_track.txt").read_text()
    assert tracks == "1 0 0 0\n2 0 0 0\n3 1 2 0\n4 2 2 0\n"
    assert validate_sequence(str(tmp_path / "01_RES"), threads=1) == {"Valid": 1}


def test_a_gap_between_frames_begins_new_tracks(tmp_path: Path) -> None:
    results = CellTrackingWriter(tmp_path)
    paths = [Path("01/t1000.tif"), Path("01/t1002.tif")]
    for path in paths:
        results.write(path, segmented(FRAMES[0]))
    results.finish(paths)
    assert (tmp_path / "01_RES" / "mask1002.tif").exists()
    tracks = (tmp_path / "01_RES" / "res_track.txt").read_text().split("\n")
    assert tracks == ["1 1000 1000 0", "2 1000 1000 0", "3 1002 1002 0", "4 1002 1002 0", ""]


def test_a_stack_is_a_sequence(tmp_path: Path) -> None:
    results = CellTrackingWriter(tmp_path)
    path = Path("movie.tif")
    results.write(path, segmented(*FRAMES))
    assert results.files(path)[0].exists()
    results.finish([path])
    assert len(list((tmp_path / "movie_RES").glob("mask00?.tif"))) == 3
    assert validate_sequence(str(tmp_path / "movie_RES"), threads=1) == {"Valid": 1}


def test_more_cells_than_16_bits_number_are_refused(tmp_path: Path) -> None:
    many = np.arange(65_537, dtype=np.uint32)[None]
    with pytest.raises(ValueError, match="65536 objects, and the challenge's format allows 65535"):
        CellTrackingWriter(tmp_path).write(Path("01/t000.tif"), segmented(many))
    results = CellTrackingWriter(tmp_path)
    for number in (0, 2):
        results.write(Path(f"01/t00{number}.tif"), segmented(many[:, :40_000]))
    with pytest.raises(ValueError, match="more than 65535 cells over time"):
        track_by_overlap(sorted((tmp_path / "01_RES").glob("mask*.tif")))


def test_isbi_takes_one_stack_of_32_bit_floats(tmp_path: Path) -> None:
    results = IsbiWriter(tmp_path)
    results.write(Path("b.tif"), segmented(FRAMES[1], FRAMES[2]))
    results.write(Path("a.tif"), segmented(FRAMES[0]))
    assert results.finish([Path("a.tif"), Path("b.tif")]) == [tmp_path / "submission.tif"]
    with tifffile.TiffFile(tmp_path / "submission.tif") as file:
        assert len(file.pages) == 3
        assert file.pages[0].aspage().compression == 1
        stack = file.asarray()
    assert stack.dtype == np.float32
    np.testing.assert_array_equal(stack, [(page > 0) * 0.75 for page in FRAMES])
    with pytest.raises(
        ValueError, match=r"1 x 3, but all pages of the challenge's stack have one size, here 1 x 8"
    ):
        results.write(Path("c.tif"), segmented(FRAMES[0][:, :3]))


def test_a_shorter_stack_leaves_no_frames_of_a_longer_one(tmp_path: Path) -> None:
    results, path = CellTrackingWriter(tmp_path), Path("movie.tif")
    for pages in (FRAMES, FRAMES[:2]):
        results.write(path, segmented(*pages))
        results.finish([path])
    names = sorted(p.name for p in (tmp_path / "movie_RES").iterdir())
    assert names == ["mask000.tif", "mask001.tif", "res_track.txt"]


def test_the_last_digits_of_a_name_number_the_frame(tmp_path: Path) -> None:
    files = CellTrackingWriter(tmp_path).files(Path("set/02/exp1_t012.tif"))
    assert files == [tmp_path / "02_RES" / "mask012.tif"]
