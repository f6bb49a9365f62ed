import csv
import json
from pathlib import Path

from tests.fixtures.drawn_sweep import write
from unet_exp.records.sweep import read_sweep
from unet_exp.sweeps.report import write_report


def rows(folder: Path) -> list[dict[str, str]]:
    with write_report(read_sweep(folder)).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_for_each_job_with_a_column_for_each_parameter(drawn: Path) -> None:
    found = rows(drawn)
    assert [row["job"] for row in found] == list("0123456")
    assert [row["model.depth"] for row in found] == ["3", "4", "3", "3", "9", "4", "4"]
    assert found[1] == {
        "job": "1",
        "model.depth": "4",
        "optimizer.lr": "0.001",
        "seed": "0",
        "state": "finished",
        "score": "0.75",
        "val/seg": "0.75",
        "val/loss": "0.25",
        "seconds": "61.5",
        "steps": "40",
        "folder": str(drawn / "1"),
        "error": "",
    }
    assert found[4]["error"] == "ValueError: A side of 48 pixels <cannot> pass 9 poolings."
    assert (found[6]["state"], found[6]["score"], found[6]["seconds"]) == ("waiting", "", "")


def test_a_setting_that_only_one_job_has_is_a_column_too(drawn: Path) -> None:
    content = json.loads((drawn / "sweep.json").read_text())
    content["jobs"].append({"folder": "7", "overrides": ['+name="a,\nb"']})
    write(drawn / "sweep.json", content)
    found = rows(drawn)
    assert [row["name"] for row in found] == [*[""] * 7, "a,\nb"]
    assert found[7]["model.depth"] == ""
