import json
import math
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.drawn_run import charts, evaluation, plain
from tests.fixtures.drawn_sweep import write

from unet_exp.records.evaluation_folder import EvaluationFolder
from unet_exp.reports.evaluation_page import evaluation_page


def test_scored_images(tmp_path: Path) -> None:
    evaluation(tmp_path)
    text = evaluation_page(EvaluationFolder(tmp_path))
    shown = plain(text)
    assert "SEG 0.6250, over 4 images." in shown
    assert "SEG 0.6250 0.5500 0.3400 0.6000 objects 14" in shown
    rows = shown.split("From worst to best by SEG.")[1]
    assert rows.index("c 0.1000") < rows.index("a 0.5000") < rows.index("b 0.9000")
    found = charts(text)
    precision = found["Average precision over IoU"]["series"][0]
    assert (precision["x"], precision["y"]) == ([0.5, 0.75], [0.75, 0.25])
    # F1 of 0.5 and 1 is 2/3; of 0.8 and 0.8 it is 0.8, the best.
    assert found["Pixels by threshold"]["rules"] == {"best F1 0.8000": 0.5}
    assert "V_rand by threshold" in found


def test_scores_fitted_to_these_images_say_so(tmp_path: Path) -> None:
    evaluation(tmp_path)
    record = json.loads((tmp_path / "evaluation.json").read_text())
    write(tmp_path / "evaluation.json", {**record, "tuning": {"chosen": {}}})
    assert "fitted to these images" in plain(evaluation_page(EvaluationFolder(tmp_path)))


def test_scored_runs(tmp_path: Path) -> None:
    runs = [
        {"run": "0", "seg": 0.5, "error": ""},
        {"run": "1", "seg": 0.75, "error": ""},
        {"run": "2", "error": "no checkpoint"},
    ]
    groups = [{"settings": {"depth": 3}, "mean": {"seg": 0.625}, "std": {"seg": 0.125}}]
    write(tmp_path / "evaluation.json", {"split": "test", "runs": runs, "groups": groups})
    text = evaluation_page(EvaluationFolder(tmp_path))
    shown = plain(text)
    assert "3 runs scored, 1 of them failed; mean SEG 0.6250." in shown
    assert "2 - no checkpoint" in shown
    assert "mean depth=3 0.6250" in shown
    assert charts(text)["SEG"]["series"][0]["x"] == [0.5, 0.75]


def test_sizes_are_counted_by_kind(tmp_path: Path) -> None:
    evaluation(tmp_path)
    found = charts(evaluation_page(EvaluationFolder(tmp_path)))["Sizes of objects"]
    counts = {one["name"]: sum(one["y"]) for one in found["series"]}
    assert counts == {"found": 3, "missed": 1}
    assert found["x"]["kind"] == "log"


@pytest.mark.parametrize(
    "part",
    [
        {"objects": {"kinds": {"found": math.nan, "missed": math.inf}}},
        {"objects": {"average_precision": {"ap_50": 10**400, f"ap_{'9' * 5000}": 0.5}}},
        {"precision_recall": {"thresholds": [10**400], "precision": [1], "recall": [1]}},
        {"precision_recall": {"thresholds": [0], "precision": [1], "recall": [1],
                              "average_precision": 10**400}},
        {"curves": {"seg": {"thresholds": [0, 10**400], "values": [0, 1]}}},
        {"details": {"seg": {"objects": math.nan}}, "per_image": {"seg": {"mean": "high"}}},
    ],
)  # fmt: skip
def test_values_that_are_no_numbers_are_left_out(tmp_path: Path, part: dict[str, Any]) -> None:
    evaluation(tmp_path)
    record = json.loads((tmp_path / "evaluation.json").read_text())
    write(tmp_path / "evaluation.json", {**record, **part})
    assert "SEG 0.6250, over 4 images." in plain(evaluation_page(EvaluationFolder(tmp_path)))


def test_values_that_are_no_groups_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "evaluation.json", {"runs": [{"run": "0"}], "groups": 3})
    assert "1 run scored." in plain(evaluation_page(EvaluationFolder(tmp_path)))
