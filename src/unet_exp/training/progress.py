"""One bar for the whole training: step, loss, score, time left; a line per validation elsewhere."""

import sys
import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class ProgressBar(Callback):
    """Show progress on a terminal; where output is a file, print one line per validation."""

    def __init__(self, monitor: str, console: Console | None = None) -> None:
        self.monitor = monitor
        self.console = console or Console(file=sys.stdout)
        self.progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.training = self.validation = None
        self.loss = float("nan")
        self.validated = ""
        self.first_step, self.started = 0, 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.first_step, self.started = trainer.global_step, time.monotonic()
        if not trainer.is_global_zero:
            return
        self.progress.start()
        self.training = self.progress.add_task(
            "step", total=trainer.max_steps, completed=trainer.global_step, scores=""
        )

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *_: Any, **__: Any
    ) -> None:
        if self.training is None:
            return
        # Reading the loss waits for the device, so it is read as rarely as it is logged.
        # Lightning divides it among the batches of a step.
        loss = outputs["loss"] * trainer.accumulate_grad_batches
        if self.progress.disable:
            self.loss = loss
            return
        if trainer.global_step % max(1, trainer.log_every_n_steps) == 0:  # pyright: ignore[reportAttributeAccessIssue]
            self.loss = loss.item()
        self.progress.update(self.training, completed=trainer.global_step, scores=self.scores())

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero and not trainer.sanity_checking:
            total = sum(int(n) for n in trainer.num_val_batches)
            self.validation = self.progress.add_task("validation", total=total, scores="")

    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:
        if self.validation is not None:
            self.progress.advance(self.validation)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.validation is None:
            return
        self.validated = "".join(
            f"  {name} {float(trainer.callback_metrics[name]):.3f}"
            for name in dict.fromkeys(("val/loss", self.monitor))
            if name in trainer.callback_metrics
        )
        self.progress.remove_task(self.validation)
        self.validation = None
        if self.progress.disable and self.training is not None:
            seconds = time.monotonic() - self.started
            done = max(1, trainer.global_step - self.first_step)
            left = seconds / done * (trainer.max_steps - trainer.global_step)
            self.console.print(
                f"step {trainer.global_step}/{trainer.max_steps}  {self.scores()}  "
                f"{seconds:.0f} s, {left:.0f} s left",
                highlight=False,
            )

    def scores(self) -> str:
        """Return the training loss and the watched score as text."""
        return f"loss {float(self.loss):.3f}{self.validated}"

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.progress.stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self.progress.stop()
