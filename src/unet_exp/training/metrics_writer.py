"""Write the metrics of every validation."""

import math
import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from unet_exp.records.run_folder import RunFolder


class MetricsWriter(Callback):
    """Write a row for every validation; a resumed run keeps its earlier rows."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = []
        self.write = folder.write_metrics  # also without what a killed process has left
        self.started = time.monotonic()
        self.before = 0.0

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        # This is done here, because a finished run does not reach the start of training.
        step = checkpoint["global_step"]
        self.rows = [r for r in self.folder.read_metrics() if r.get("step", math.inf) <= step]
        self.before = self.rows[-1].get("seconds", 0.0) if self.rows else 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if self.rows:  # of this run, not of another whose checkpoint it starts from
            self.before = state_dict["seconds"]

    def seconds(self) -> float:
        """Return how long the run has trained, over all restarts."""
        return round(self.before + time.monotonic() - self.started, 1)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # The loss of one step is noisy, so "train/loss" is the mean since the last validation.
        metrics = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if name != "train/step_loss"
        }
        if trainer.is_global_zero and any(name.startswith("val/") for name in metrics):
            self.rows.append(
                {
                    "step": trainer.global_step,
                    "seconds": self.seconds(),
                    "lr": trainer.optimizers[0].param_groups[0]["lr"],
                    **metrics,
                }
            )
            self.write(self.rows)
            self.write = self.folder.append_metrics

    def best(self, name: str, mode: str) -> dict[str, Any]:
        """Return the row with the best value of a score, or the last row if none has the score."""
        rows = [row for row in self.rows if not math.isnan(row.get(name, math.nan))]
        choose = max if mode == "max" else min
        return choose(rows, key=lambda row: row[name]) if rows else (self.rows or [{}])[-1]
