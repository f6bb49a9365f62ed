"""What is read from a run folder, whatever it holds."""

import errno
import math
import resource
from pathlib import Path

import pytest

from unet_exp.records import run_folder
from unet_exp.records.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path)
    run.hydra.mkdir()
    return run


@pytest.mark.parametrize(
    "text", ["[", "a: 1", "1", "[" * 100_000, "!!python/name:os.system ''", ""]
)
def test_unreadable_overrides_read_as_empty(folder: RunFolder, text: str) -> None:
    folder.overrides.write_text(text)
    assert folder.read_overrides() == []


@pytest.mark.parametrize("text", ["- &a seed=1\n- *a", "- &a {x: y}\n- {<<: [*a, *a]}"])
def test_overrides_with_yaml_references_read_as_empty(folder: RunFolder, text: str) -> None:
    folder.overrides.write_text(text)
    assert folder.read_overrides() == []


def test_metrics_are_read_as_they_were_written(folder: RunFolder) -> None:
    rows = [{"step": 10, "seconds": 1.5, "val/seg": 0.25}, {"step": 20, "train/loss": 1e-9}]
    folder.write_metrics(rows)
    assert folder.read_metrics() == rows
    before = folder.metrics.read_bytes()
    folder.write_metrics(folder.read_metrics())
    assert folder.metrics.read_bytes() == before


def test_metrics_grow_by_one_line_at_a_time(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"step": 10, "seconds": 1.5, "val/seg": 0.25}]
    folder.write_metrics(rows)
    monkeypatch.setattr(run_folder, "write_atomically", lambda *_: pytest.fail("written anew"))
    for step in (20, 30):
        rows.append({"val/seg": math.nan, "step": step})  # a column less, in another order
        folder.append_metrics(rows)
    assert folder.metrics.read_text() == "step,seconds,val/seg\n10,1.5,0.25\n20,,nan\n30,,nan\n"


def test_metrics_with_a_new_column_or_without_their_file_are_written_anew(
    folder: RunFolder,
) -> None:
    rows: list[dict[str, float]] = [{"step": 10}, {"step": 20, "a, b": 0.5}]
    folder.append_metrics(rows[:1])
    assert folder.metrics.read_text() == "step\n10\n"
    folder.append_metrics(rows)
    assert folder.metrics.read_text() == 'step,"a, b"\n10,\n20,0.5\n'
    folder.metrics.unlink()
    folder.append_metrics([*rows, {"step": 30}])
    assert folder.metrics.read_text() == 'step,"a, b"\n10,\n20,0.5\n30,\n'


@pytest.mark.parametrize(
    "damaged",
    [b"step,val/seg\n10,0.5", b"step,\xff\n", b'step,"' + b"a" * 200_000 + b'"\n', b"", b"\n"],
    ids=["open_line", "no_utf8", "long_cell", "empty", "no_names"],
)
def test_damaged_metrics_are_written_anew(folder: RunFolder, damaged: bytes) -> None:
    folder.metrics.write_bytes(damaged)
    rows = [{"step": 10, "val/seg": 0.5}, {"step": 20, "val/seg": 0.75}]
    folder.append_metrics(rows)
    assert folder.read_metrics() == rows


@pytest.mark.parametrize("torn", ["2", "20,0.3", "20,0.375,1e-0", "20,0.375,1e-05"])
def test_a_line_without_its_end_is_no_row(folder: RunFolder, torn: str) -> None:
    folder.metrics.write_text(f"step,val/seg,lr\n10,0.25,0.001\n{torn}")
    assert folder.read_metrics() == [{"step": 10, "val/seg": 0.25, "lr": 0.001}]


def test_a_disk_that_is_full_is_named_and_leaves_whole_lines(folder: RunFolder) -> None:
    rows = [{"step": 10, "val/seg": 0.25}, {"step": 20, "val/seg": 0.375}]
    folder.write_metrics(rows[:1])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (folder.metrics.stat().st_size + 5, before[1]))
    try:
        with pytest.raises(OSError, match=r"metrics\.csv") as told:
            folder.append_metrics(rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told.value.errno == errno.EFBIG
    assert folder.metrics.read_text().endswith("\n20,0.")
    assert folder.read_metrics() == rows[:1]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("step,val/seg\n10,high\n20\n", [{"step": 10}, {"step": 20}]),
        ("step\n\x00\n", [{}]),
    ],
)
def test_cells_without_a_number_are_left_out(
    folder: RunFolder, text: str, rows: list[dict[str, float]]
) -> None:
    folder.metrics.write_text(text)
    assert folder.read_metrics() == rows


def test_a_folder_without_files_reads_as_empty(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "none")
    assert (run.read_summary(), run.read_progress(), run.read_metrics()) == ({}, {}, [])
    assert (run.read_overrides(), run.stop_request(), run.checkpoint()) == ([], None, None)
    assert not run.holds_run()


def test_a_request_to_stop_gives_its_reason(folder: RunFolder) -> None:
    folder.request_stop("pruned")
    assert folder.stop_request() == "pruned"
    folder.stop.write_text("\n")
    assert folder.stop_request() == "preempted"
