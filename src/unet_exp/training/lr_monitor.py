"""The learning rate between validations, for the loggers; metrics.csv has it at each anyway."""

from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import LearningRateMonitor


class LRMonitor(LearningRateMonitor):
    """Log the learning rate, in the process that logs; without loggers do nothing.

    Lightning's own refuses to train without loggers, which all processes but the first are.

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
