import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.drawn_run import charts, plain
from tests.fixtures.drawn_sweep import write

from unet_exp.records.run_folder import RunFolder
from unet_exp.reports.run_page import run_page, write_run_page

STRANGE = """</script><img src=x onerror="alert(1)"><!--"""


def test_the_verdict_comes_first_with_its_estimate(drawn_run: Path) -> None:
    text = write_run_page(RunFolder(drawn_run)).read_text(encoding="utf-8")
    shown = plain(text)
    verdict = (
        "SEG 0.7500 at step 20, the best of 3 validations. With the fitted postprocessing 0.8750; "
        "0.8125 with each image left out of its own fit"
    )
    assert verdict in shown
    assert shown.index(verdict) < shown.index("Learning curves") < shown.index("Worst and best")
    assert "2.0 % of the training time" in shown
    assert "model.depth 3" in shown.split("What the command changed")[1]
    assert "loader.tile 128" in shown.split("What the plan chose")[1]
    assert "python train.py dataset=folder model.depth=3" in shown
    assert "The training goes on" not in shown


def test_curves_mark_the_best_step(drawn_run: Path) -> None:
    found = charts(run_page(RunFolder(drawn_run)))
    curve = found["SEG"]
    assert curve["rules"] == {"best": 20}
    assert curve["series"][0]["x"] == [10, 20, 30]
    assert curve["series"][0]["y"] == [0.25, 0.75, 0.5]
    loss = found["Loss"]
    assert [one["name"] for one in loss["series"]] == ["training", "validation"]
    assert loss["y"]["domain"][0] == 0


def test_the_worst_images_have_counts_of_objects(drawn_run: Path) -> None:
    shown = plain(run_page(RunFolder(drawn_run)))
    assert "worst 1: c SEG 0.1000; 1 of 3 objects found, 2 missed, 3 false" in shown
    assert "best 1: b SEG 0.9000; 4 of 4 objects found" in shown
    assert "10 of 14 labelled objects found (71 %)" in shown


def test_a_run_that_has_just_begun_has_a_page(tmp_path: Path) -> None:
    write(tmp_path / "summary.json", {"state": "running", "monitor": "val/seg", "mode": "max"})
    text = run_page(RunFolder(tmp_path))
    assert 'data-state="running"' in text
    assert "No validation has been recorded yet." in plain(text)
    assert "Learning curves" not in text


def test_an_empty_folder_has_a_page(tmp_path: Path) -> None:
    assert "No validation has been recorded yet." in run_page(RunFolder(tmp_path))


def test_a_failed_run_shows_its_error(drawn_run: Path) -> None:
    summary = json.loads((drawn_run / "summary.json").read_text())
    write(drawn_run / "summary.json", {**summary, "state": "failed", "error": "ValueError: a < b"})
    assert "ValueError: a &lt; b" in run_page(RunFolder(drawn_run))


def strange(value: Any) -> Any:
    """Replace all texts by one with HTML in it, and add it to all names."""
    if isinstance(value, dict):
        return {f"{key}": strange(item) for key, item in value.items()} | {STRANGE: STRANGE}
    if isinstance(value, list):
        return [*map(strange, value), STRANGE]
    return STRANGE if isinstance(value, str) and value not in ("val/seg", "max") else value


def test_no_text_of_a_record_acts_on_the_page(drawn_run: Path) -> None:
    for path in (drawn_run / "summary.json", drawn_run / "validation" / "evaluation.json"):
        write(path, strange(json.loads(path.read_text())))
    for path in (drawn_run / "config.yaml", drawn_run / ".hydra" / "config.yaml"):
        write(path, json.dumps({STRANGE: STRANGE, "\u202eb": "c\u200bd"}))
    write(drawn_run / ".hydra" / "overrides.yaml", json.dumps([f"name={STRANGE}"]))
    table = drawn_run / "validation" / "per_image.csv"
    write(table, table.read_text().replace("\nc,", '\n"<img src=x onerror=alert(1)>",'))
    text = run_page(RunFolder(drawn_run))
    assert "<img src=x" not in text
    assert text.count("</script>") == text.count("<script")
    assert "&lt;img src=x" in text
    assert not [sign for sign in "\u202e\u200b" if sign in text]


@pytest.mark.parametrize("content", ["[]", "{", '{"scores": 3, "objects": [], "curves": 1}', ""])
def test_a_damaged_evaluation_costs_only_its_sections(drawn_run: Path, content: str) -> None:
    write(drawn_run / "validation" / "evaluation.json", content)
    assert "SEG 0.7500 at step 20" in run_page(RunFolder(drawn_run))


def test_a_link_out_of_the_folder_is_not_shown(drawn_run: Path, tmp_path: Path) -> None:
    pictures = drawn_run / "validation" / "pictures"
    (pictures / "worst_1_c.png").rename(tmp_path / "private.png")
    (pictures / "worst_1_c.png").symlink_to(tmp_path / "private.png")
    os.mkfifo(pictures / "worst_2_a.png")
    assert run_page(RunFolder(drawn_run)).count('<img src="data:') == 1
