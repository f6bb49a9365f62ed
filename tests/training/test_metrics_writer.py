import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unet_exp.records.run_folder import RunFolder
from unet_exp.training.metrics_writer import MetricsWriter


def test_best_row_knows_the_direction(tmp_path: Path) -> None:
    metrics = MetricsWriter(RunFolder(tmp_path))
    metrics.rows = [{"step": 1, "e": 0.3}, {"step": 2, "e": math.nan}, {"step": 3, "e": 0.7}]
    assert metrics.best("e", "max")["step"] == 3
    assert metrics.best("e", "min")["step"] == 1
    assert metrics.best("absent", "min")["step"] == 3
    assert MetricsWriter(RunFolder(tmp_path / "none")).best("e", "max") == {}


def validated(metrics: MetricsWriter, step: int) -> None:
    group = SimpleNamespace(param_groups=[{"lr": 0.01}])
    trainer: Any = SimpleNamespace(
        global_step=step, is_global_zero=True, optimizers=[group], callback_metrics={"val/seg": 0.5}
    )
    metrics.on_validation_end(trainer, Any)


def test_a_file_of_rows_is_written_once_and_then_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    whole = RunFolder.write_metrics
    monkeypatch.setattr(
        RunFolder, "write_metrics", lambda self, rows: written.append(rows) or whole(self, rows)
    )
    folder = RunFolder(tmp_path)
    metrics = MetricsWriter(folder)
    for step in range(1, 101):
        validated(metrics, step)
    assert [row["step"] for row in folder.read_metrics()] == list(range(1, 101))
    assert len(written) == 1


def test_a_resumed_run_mends_a_torn_line(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.metrics.write_text("step,seconds,lr,val/seg\n1,1.0,0.01,0.25\n2,2.0,0.01,0.3\n3,2.5,0.")
    metrics = MetricsWriter(folder)
    metrics.on_load_checkpoint(Any, Any, {"global_step": 1})
    validated(metrics, 2)
    validated(metrics, 3)
    lines = folder.metrics.read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "1", "2", "3"]
    assert [line.split(",")[3] for line in lines] == ["val/seg", "0.25", "0.5", "0.5"]
