"""Arguments of Lightning's Trainer that ``trainer.options`` may give."""

from collections.abc import Collection, Mapping
from typing import Any

from unet_exp.ranges import did_you_mean

#: Arguments that may be given, because they do not change the record of a run.
FREE = (
    "detect_anomaly", "enable_autolog_hparams", "gradient_clip_algorithm", "inference_mode",
    "limit_predict_batches", "limit_test_batches", "overfit_batches", "profiler",
)  # fmt: skip
#: Arguments that may not be given, because the record of a run depends on them, with the remedy.
TAKEN = {
    "callbacks": "Add yours to the project's own: callbacks=[early_stopping,lr_monitor], or "
    "+callbacks.mine._target_=my.module.MyCallback",
    "logger": "Choose one: logger=wandb, csv, tensorboard or none",
    "default_root_dir": "Give the run's folder: hydra.run.dir=FOLDER",
    "enable_checkpointing": "Leave it out: a run keeps its best and its last checkpoint",
    "enable_progress_bar": "Leave it out: the project shows its own",
    "enable_model_summary": "Leave it out, or add a callback: "
    "+callbacks.layers._target_=lightning.pytorch.callbacks.ModelSummary",
    "max_epochs": "Give trainer.max_steps=STEPS; an epoch is loader.steps_per_validation of them",
    "min_epochs": "Give trainer.max_steps=STEPS, and callbacks.early_stopping.patience if need be",
    "min_steps": "Give trainer.max_steps=STEPS, and callbacks.early_stopping.patience if need be",
    "val_check_interval": "Give loader.steps_per_validation=STEPS",
    "check_val_every_n_epoch": "Give loader.steps_per_validation=STEPS",
    "limit_train_batches": "Give trainer.max_steps=STEPS or loader.steps_per_validation=STEPS",
    "reload_dataloaders_every_n_epochs": "Leave it out: tiles are drawn anew at every step",
    "use_distributed_sampler": "Leave it out: each process draws tiles of its own",
    "num_sanity_val_steps": "Leave it out; trainer.max_steps=1 is a trial",
    "fast_dev_run": "For a trial give trainer.max_steps=1",
    "barebones": "For a trial give trainer.max_steps=1",
    "benchmark": "Give trainer.deterministic=false, which chooses the fastest kernels",
    "plugins": "Leave it out; precision and processes have options: trainer.precision, "
    "trainer.strategy",
    "model_registry": "Give logger.log_checkpoints=true to upload checkpoints",
}


def require_free(options: Mapping[str, Any], own: Collection[str] = ()) -> None:
    """Refuse arguments that ``trainer.options`` may not give, or that the Trainer does not have.

    Parameters
    ----------
    own
        Names of the settings in ``conf/trainer/``, except ``options``.

    >>> require_free({"logger": False})
    Traceback (most recent call last):
    ValueError: trainer.options.logger cannot be given, because a run's record depends on it. ...

    Raises ValueError with the override to give instead.
    """
    for name in options:
        if remedy := TAKEN.get(name) or (f"Give trainer.{name}=VALUE" if name in own else None):
            raise ValueError(
                f"trainer.options.{name} cannot be given, because a run's record depends on it. "
                f"{remedy}."
            )
        if name not in FREE:
            hint = did_you_mean(name, [*FREE, *TAKEN, *own])
            raise ValueError(
                f"There is no trainer.options.{name}.{hint}"
                f" Those that may be given are {', '.join(FREE)}."
            )
