"""Write the checkpoint with the best score, and the last checkpoint."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from unet_exp.records.run_folder import RunFolder


def checkpoints(folder: RunFolder, monitor: str, mode: str) -> list[Callback]:
    """Return the callbacks that save the checkpoint with the best score and the last checkpoint."""
    best = ModelCheckpoint(
        dirpath=folder.checkpoints,
        filename=folder.best.stem,
        monitor=monitor,
        mode=mode,
        save_on_train_epoch_end=False,
        enable_version_counter=False,
        auto_insert_metric_name=False,
    )
    last = ModelCheckpoint(
        dirpath=folder.checkpoints,
        filename=folder.last.stem,
        save_on_train_epoch_end=False,
        enable_version_counter=False,
    )
    return [LastValidation(), best, last]


class LastValidation(Callback):
    """Validate after the last step, even if it is not the end of an epoch."""

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, *_: Any, **__: Any
    ) -> None:
        if trainer.global_step >= trainer.max_steps:
            trainer.should_stop = True
