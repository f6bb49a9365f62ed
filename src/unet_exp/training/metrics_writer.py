"""The scores of every validation: metrics.csv, whole at any moment."""

import math
import time
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from unet_exp.csv_tables import read_csv, to_csv
from unet_exp.files import write_atomically


class MetricsWriter(Callback):
    """Keep a row of every validation in ``metrics.csv``, also across a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self.started = time.monotonic()
        self.before = 0.0

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        # Here rather than at the start of training, which a finished run does not reach.
        if self.path.exists():
            rows = [{k: number(v) for k, v in row.items()} for row in read_csv(self.path)]
            self.rows = [
                row for row in rows if row.get("step", math.inf) <= checkpoint["global_step"]
            ]
            self.before = self.rows[-1].get("seconds", 0.0) if self.rows else 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if self.rows:  # of this run, and not of another from whose checkpoint it goes on
            self.before = state_dict["seconds"]

    def seconds(self) -> float:
        """Return how long the run has trained, in all its parts."""
        return round(self.before + time.monotonic() - self.started, 1)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # The last step's own loss says little; the mean since the last validation stands here.
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
            self.write()

    def write(self) -> None:
        """Write all rows anew."""
        write_atomically(self.path, to_csv(self.rows))

    def best(self, name: str, mode: str) -> dict[str, Any]:
        """Return the row with the best value of a score; of the last one if none has it."""
        rows = [row for row in self.rows if not math.isnan(row.get(name, math.nan))]
        choose = max if mode == "max" else min
        return choose(rows, key=lambda row: row[name]) if rows else (self.rows or [{}])[-1]


def number(text: str | None) -> Any:
    """Return the number in a cell; NaN for an empty one."""
    if not text:
        return math.nan
    return int(text) if text.isdecimal() else float(text)
