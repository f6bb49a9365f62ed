import math
from pathlib import Path

from unet_exp.records.run_folder import RunFolder
from unet_exp.training.metrics_writer import MetricsWriter


def test_best_row_knows_the_direction(tmp_path: Path) -> None:
    metrics = MetricsWriter(RunFolder(tmp_path))
    metrics.rows = [{"step": 1, "e": 0.3}, {"step": 2, "e": math.nan}, {"step": 3, "e": 0.7}]
    assert metrics.best("e", "max")["step"] == 3
    assert metrics.best("e", "min")["step"] == 1
    assert metrics.best("absent", "min")["step"] == 3
    assert MetricsWriter(RunFolder(tmp_path / "none")).best("e", "max") == {}
