"""A training with very many validations, without its steps: what is written after each."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from unet_exp.records.run_folder import RunFolder
from unet_exp.reports.run_page import write_run_page
from unet_exp.training.metrics_writer import MetricsWriter
from unet_exp.training.report_writer import ReportWriter


def validate_often(here: Path, size: int) -> int:
    """Call the callbacks that write scores and report as often as there are validations."""
    folder = RunFolder(here / "run")
    scores, report = MetricsWriter(folder), ReportWriter(lambda: write_run_page(folder))
    group = SimpleNamespace(param_groups=[{"lr": 0.01}])
    names = ("val/loss", "val/seg", "val/iou", "val/dice", "train/loss", "data_wait")
    for number in range(1, size + 1):
        trainer: Any = SimpleNamespace(
            global_step=number, is_global_zero=True, sanity_checking=False, optimizers=[group],
            callback_metrics=dict.fromkeys(names, 1 / number),
        )  # fmt: skip
        module: Any = None
        scores.on_validation_end(trainer, module)
        report.on_validation_end(trainer, module)
    report.close()
    return 0 if len(folder.read_metrics()) == size else 1
