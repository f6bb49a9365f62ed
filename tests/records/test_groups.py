import json
from pathlib import Path

import pytest
from tests.fixtures.drawn_sweep import write

from unet_exp.records.groups import group_jobs
from unet_exp.records.sweep import read_sweep


def test_jobs_that_differ_in_the_seed_alone_are_one_group(drawn: Path) -> None:
    best, both, last = group_jobs(read_sweep(drawn))
    assert [run.name for run in both.runs] == ["0", "3"]
    assert both.settings == {"model.depth": "3", "optimizer.lr": "0.001"}
    # 0.5 and 0.625
    assert both.over_runs("mean")["val/seg"] == 0.5625
    assert both.over_runs("std")["val/seg"] == pytest.approx(0.0625 * 2**0.5)
    assert [run.name for run in best.runs] == ["1"]
    assert [run.name for run in last.runs] == ["2"]


def test_the_best_group_comes_first_also_where_less_is_better(drawn: Path) -> None:
    content = json.loads((drawn / "sweep.json").read_text())
    write(drawn / "sweep.json", {**content, "mode": "min"})
    assert [group.runs[0].name for group in group_jobs(read_sweep(drawn))] == ["2", "0", "1"]
