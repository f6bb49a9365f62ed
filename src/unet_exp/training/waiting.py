"""Measure how long training waits for its batches."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from unet_exp.training.tiles import TimedLoader


class DataWait(Callback):
    """Measure ``data_wait``, the fraction of the training time spent waiting for batches.

    Validation does not count as training time. Every ``log_every_n_steps`` steps, the loggers get
    the fraction of these steps. metrics.csv gets the fraction since the last validation, as the
    mean over all processes.

    The callback does not synchronise with the device. A GPU may still compute while the loader
    waits, so on a GPU the number is an upper bound.
    """

    def __init__(self) -> None:
        self.since, self.waited, self.step = 0.0, 0.0, 0
        self.logged, self.validated = Share(), Share()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.step, self.waited = trainer.global_step, waited(trainer)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        now, already = time.perf_counter(), waited(trainer)
        for share in (self.logged, self.validated):
            share.add(already - self.waited, now - self.since)
        self.since, self.waited = now, already
        if trainer.global_step == self.step:
            return  # the step is not complete: gradients are still accumulated
        self.step = trainer.global_step
        if self.step % max(1, trainer.log_every_n_steps) == 0:  # pyright: ignore[reportAttributeAccessIssue]
            for logger in trainer.loggers:
                # Lightning numbers the logged steps from 0.
                logger.log_metrics({"data_wait": self.logged.value()}, self.step - 1)
            self.logged = Share()

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.validated.whole:
            pl_module.log("data_wait", self.validated.value(), logger=False, sync_dist=True)
        self.validated = Share()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.since = time.perf_counter()


def waited(trainer: Trainer) -> float:
    """Return the seconds that a training has waited for batches so far."""
    loader: TimedLoader[Any] = trainer.train_dataloader  # pyright: ignore[reportAssignmentType]
    return loader.waited


class Share:
    """The quotient of two sums, a part and the whole.

    >>> share = Share()
    >>> share.add(1.0, 1.0)
    >>> share.add(0.0, 3.0)
    >>> share.value()
    0.25
    """

    def __init__(self) -> None:
        self.part, self.whole = 0.0, 0.0

    def add(self, part: float, whole: float) -> None:
        """Add to both."""
        self.part += part
        self.whole += whole

    def value(self) -> float:
        """Return part / whole, from 0 to 1."""
        return self.part / self.whole
