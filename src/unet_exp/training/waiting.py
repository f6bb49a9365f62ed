"""How long training waits for its batches."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class DataWait(Callback):
    """Measure ``data_wait``, the share of training's time in which a step waits for its batch.

    Waiting is what lies between the end of a batch and the start of the next: the loader, and the
    copy to the device. Validation is no part of it, nor of training's time. The loggers get the
    share every ``log_every_n_steps`` steps, of these steps; metrics.csv gets that of all steps
    since the last validation, as the mean over all processes.

    Nothing waits for the device here. A GPU may still compute while the next batch is waited for,
    so that there the number is the most that it can be.

    It stands behind all other callbacks, whose work is no waiting.
    """

    def __init__(self) -> None:
        self.since, self.step = 0.0, 0
        self.logged, self.validated = Share(), Share()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.step = trainer.global_step

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.since = time.perf_counter()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self.passed(waiting=True)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        self.passed(waiting=False)
        if trainer.global_step == self.step:
            return  # gradients are being accumulated
        self.step = trainer.global_step
        if self.step % max(1, trainer.log_every_n_steps) == 0:  # pyright: ignore[reportAttributeAccessIssue]
            for logger in trainer.loggers:
                # Lightning counts the logged steps from 0.
                logger.log_metrics({"data_wait": self.logged.value()}, self.step - 1)
            self.logged = Share()

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.validated.whole:
            pl_module.log("data_wait", self.validated.value(), logger=False, sync_dist=True)
        self.validated = Share()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.since = time.perf_counter()

    def passed(self, waiting: bool) -> None:
        """Count the time since this was last asked."""
        now = time.perf_counter()
        for share in (self.logged, self.validated):
            share.add(now - self.since, waiting)
        self.since = now


class Share:
    """A part of a sum of times.

    >>> share = Share()
    >>> share.add(1.0, True)
    >>> share.add(3.0, False)
    >>> share.value()
    0.25
    """

    def __init__(self) -> None:
        self.part, self.whole = 0.0, 0.0

    def add(self, seconds: float, counts: bool) -> None:
        """Add to the sum, and to the part if it ``counts``."""
        self.part += seconds * counts
        self.whole += seconds

    def value(self) -> float:
        """Return part / whole, from 0 to 1."""
        return self.part / self.whole
