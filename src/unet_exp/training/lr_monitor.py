"""Log the learning rate between validations; metrics.csv only has it at each validation."""

from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import LearningRateMonitor


class LRMonitor(LearningRateMonitor):
    """Log the learning rate; do nothing without loggers.

    Lightning's monitor raises an error without loggers, and only the first process has loggers.

    Parameters
    ----------
    log_momentum, log_weight_decay
        Log these as well.
    """

    def __init__(self, log_momentum: bool = False, log_weight_decay: bool = False) -> None:
        super().__init__("step", log_momentum, log_weight_decay)

    def on_train_start(self, trainer: Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.loggers:
            super().on_train_start(trainer, *args, **kwargs)

    def on_train_batch_start(self, trainer: Trainer, *args: Any, **kwargs: Any) -> None:
        if trainer.loggers:
            super().on_train_batch_start(trainer, *args, **kwargs)
