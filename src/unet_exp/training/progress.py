"""Show the progress of a training: a bar on a terminal, otherwise a line per validation."""

import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Timer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from unet_exp.records.run_folder import RunFolder
from unet_exp.screen import Console

#: Seconds between two updates of ``progress.json``.
EVERY = 1.0
#: Steps and seconds after which the end of a training can be estimated.
FORESEEN = (10, 10.0)
#: If a training takes more seconds than this, a hint says how to shorten it.
LONG = 600.0
#: Columns of a terminal from which on there is room for a long bar.
WIDE = 140


class ProgressBar(Callback):
    """Show a progress bar on a terminal; print one line per validation if the output is a file.

    If a run folder is given, the first process also writes the progress there: "step", "steps",
    "seconds" since the start, and, if they are known, the seconds that are "left" and the last
    "loss" and "score".
    """

    def __init__(
        self, monitor: str, folder: RunFolder | None = None, console: Console | None = None
    ) -> None:
        self.monitor, self.folder = monitor, folder
        self.console = console or Console(file=sys.stdout)
        wide = self.console.width >= WIDE
        self.progress = Progress(
            TextColumn("{task.description}", style="bold", markup=False),
            BarColumn(40 if wide else 8),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.training = self.validation = None
        #: Loss of the last step that was logged. It stays a tensor until it is shown.
        self.loss: Any = None
        self.validated: list[str] = []
        self.score: float | None = None
        self.first_step, self.started, self.written = 0, 0.0, 0.0
        self.foreseen = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.first_step, self.started = trainer.global_step, time.monotonic()
        if not trainer.is_global_zero:
            return
        self.progress.start()
        self.training = self.progress.add_task(
            "step", total=trainer.max_steps, completed=trainer.global_step, scores=""
        )
        self.write(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, *_: Any, **__: Any
    ) -> None:
        if self.training is None:
            return
        self.foresee_end(trainer)
        # To read the loss, the process waits for the device. So it is read only when it is logged.
        # Lightning has divided the loss by the number of batches in a step.
        loss = outputs["loss"] * trainer.accumulate_grad_batches
        if self.progress.disable:
            self.loss = loss
        else:
            every = max(1, trainer.log_every_n_steps)  # pyright: ignore[reportAttributeAccessIssue]
            if self.loss is None or trainer.global_step % every == 0:
                self.loss = loss.item()
            self.progress.update(
                self.training, completed=trainer.global_step, scores=self.scores(self.room(trainer))
            )
        self.write_now_and_then(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero and not trainer.sanity_checking:
            total = sum(int(n) for n in trainer.num_val_batches)
            self.validation = self.progress.add_task("val", total=total, scores="")

    def on_validation_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        if self.validation is not None:
            self.progress.advance(self.validation)
            # A validation may take long. The file shows that this process is still running.
            self.write_now_and_then(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.validation is None:
            return
        self.validated = [
            f"{name} {float(trainer.callback_metrics[name]):.3f}"
            for name in dict.fromkeys(("val/loss", self.monitor))
            if name in trainer.callback_metrics
        ]
        if self.monitor in trainer.callback_metrics:
            self.score = float(trainer.callback_metrics[self.monitor])
        self.progress.remove_task(self.validation)
        self.validation = None
        if self.training is None:
            return
        self.write(trainer)
        if self.progress.disable:
            seconds, left = self.times(trainer)
            self.console.print(
                f"step {trainer.global_step}/{trainer.max_steps}  {self.scores()}  "
                f"{seconds:.0f} s, {left:.0f} s left",
                highlight=False,
            )

    def times(self, trainer: Trainer) -> tuple[float, float]:
        """Return the seconds since training began, and the seconds left by steps or time limit."""
        seconds = time.monotonic() - self.started
        done = max(1, trainer.global_step - self.first_step)
        left = seconds / done * (trainer.max_steps - trainer.global_step)
        clocks = (c.time_remaining() for c in trainer.callbacks if isinstance(c, Timer))  # pyright: ignore[reportAttributeAccessIssue]
        return seconds, max(0.0, min([left, *(clock for clock in clocks if clock is not None)]))

    def foresee_end(self, trainer: Trainer) -> None:
        """Print once when the training will end, as soon as the pace is known."""
        steps, least = FORESEEN
        seconds, left = self.times(trainer)
        if self.foreseen or trainer.global_step - self.first_step < steps or seconds < least:
            return
        self.foreseen = True
        end = datetime.now() + timedelta(seconds=left)
        shorter = "; to end earlier, give trainer.budget=10min" if left > LONG else ""
        self.console.print(
            f"ends at about {end:%H:%M}, and later by the time of its validations{shorter}",
            highlight=False,
        )

    def write_now_and_then(self, trainer: Trainer) -> None:
        """Write ``progress.json``, unless that was done within the last second."""
        if self.folder is not None and time.monotonic() - self.written >= EVERY:
            self.write(trainer)

    def write(self, trainer: Trainer) -> None:
        """Write ``progress.json``; an error of the file system does not end the training."""
        if self.folder is None:
            return
        seconds, left = self.times(trainer)
        content = {
            "step": trainer.global_step,
            "steps": trainer.max_steps,
            "seconds": round(seconds, 1),
            "left": round(left, 1) if trainer.global_step > self.first_step else None,
            "loss": None if self.loss is None else float(self.loss),
            "score": self.score,
        }
        with suppress(OSError):
            self.folder.write_progress(content)
        self.written = time.monotonic()

    def room(self, trainer: Trainer) -> int:
        """Return the number of characters that the bar leaves for scores."""
        steps = len(str(trainer.max_steps))
        return self.console.width - len("step ######## / 0:00:00 left 0:00:00  ") - 2 * steps

    def scores(self, room: int | None = None) -> str:
        """Return the training loss and the monitored score as text, if they are known.

        If the room is too short for both, the monitored score is kept.
        """
        loss = [] if self.loss is None else [f"loss {float(self.loss):.3f}"]
        last = self.validated[-1:]
        choices = ([*loss, *self.validated], [*loss, *last], last, loss)
        texts = map("  ".join, choices)
        return next((text for text in texts if room is None or len(text) <= room), "")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.progress.stop()
        if self.training is not None:
            self.write(trainer)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self.progress.stop()
