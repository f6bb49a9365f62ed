"""What is read from a run folder, whatever it holds."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("step,val/seg\n10,high\n20", [{"step": 10}, {"step": 20}]),
        ("step\n\x00", [{}]),
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
