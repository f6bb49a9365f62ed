"""The validation images in a run folder, scored with its best checkpoint."""

import csv
from pathlib import Path

import pytest

from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.records.run_folder import RunFolder


def test_scores_are_those_of_the_best_validation(trained: Path) -> None:
    found = EvaluationFolder(RunFolder(trained).validation).read_record()["scores"]
    with (trained / "metrics.csv").open(newline="") as file:
        best = max(csv.DictReader(file), key=lambda row: float(row["val/seg"]))
    for name in ("seg", "dice", "pixel_error"):
        assert found[name] == pytest.approx(float(best[f"val/{name}"]), abs=1e-6)


def test_each_object_of_the_images_has_a_row(trained: Path) -> None:
    folder = EvaluationFolder(RunFolder(trained).validation)
    kinds = folder.read_record()["objects"]["kinds"]
    sizes = {kind: len(found) for kind, found in folder.read_sizes().items()}
    assert sizes == {kind: count for kind, count in kinds.items() if count}
    assert sum(kinds.values()) > 0


def test_the_report_of_a_finished_run_says_so(trained: Path) -> None:
    assert 'data-state="finished"' in (trained / "report.html").read_text(encoding="utf-8")
