"""Build the callbacks that a configuration adds, and find out what ended a training."""

from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, Timer
from omegaconf import DictConfig

from unet_exp.configuration.objects import build

#: Values that are logged in addition to the validation scores.
TRAINING = ("train/loss", "train/step_loss")


def require_distinct(own: Sequence[Callback], others: Sequence[Callback]) -> None:
    """Refuse callbacks with the same ``state_key``, because a checkpoint would mix up their states.

    The configuration adds the callbacks ``own``; the project adds ``others``. Raises ValueError
    with the name of the class.
    """
    keys = [one.state_key for one in others]
    for one in own:
        if type(one).state_dict is not Callback.state_dict and one.state_key in keys:
            name = type(one).__name__
            raise ValueError(
                f"A checkpoint cannot tell callbacks.*={name} from another {name}, which keeps the "
                "run's own checkpoints or was given before. Leave one of them out, or let it watch "
                "something else (monitor, every_n_train_steps)."
            )
        keys.append(one.state_key)


def build_callbacks(cfg: DictConfig, metrics: Mapping[str, Any]) -> list[Callback]:
    """Build the callbacks of ``cfg.callbacks``; entries that are null are left out.

    Raises ValueError if an entry is no Lightning callback, or watches a score that is not measured,
    or watches it in the wrong direction.
    """
    built: list[Callback] = []
    for name, node in (cfg.get("callbacks") or {}).items():
        key = f"callbacks.{name}"
        if node is None:
            continue
        if not isinstance(node, DictConfig) or node.get("_target_") is None:
            raise ValueError(
                f"{key} names no class. Choose an option, callbacks=[early_stopping,lr_monitor], "
                f"or name one: +{key}._target_=my.module.MyCallback."
            )
        callback = build(node)
        if not isinstance(callback, Callback):
            raise ValueError(
                f"{key}._target_={node._target_} is no lightning.pytorch.Callback but "
                f"{type(callback).__name__}. Name a class that inherits it."
            )
        require_measured(key, callback, metrics)
        built.append(callback)
    return built


def require_measured(key: str, callback: Callback, metrics: Mapping[str, Any]) -> None:
    """Refuse a callback that watches a score that is not measured, or in the wrong direction.

    The ``monitor`` of a user's own callback is checked only if it begins with ``val/``. Raises
    ValueError with the scores that are measured, or with the right direction.
    """
    monitor, mode = getattr(callback, "monitor", None), getattr(callback, "mode", None)
    known = isinstance(callback, EarlyStopping | ModelCheckpoint)
    if not isinstance(monitor, str) or not (known or monitor.startswith("val/")):
        return
    name = monitor.removeprefix("val/")
    scores = [*(f"val/{one}" for one in metrics), "val/loss", *TRAINING]
    if monitor not in scores:
        more = f", or add it: metric=[{name}]" if monitor.startswith("val/") else ""
        raise ValueError(
            f"{key}.monitor={monitor} is not measured. Take one of {', '.join(scores)}{more}."
        )
    higher = name in metrics and metrics[name].higher_is_better
    better = "max" if higher else "min"
    if mode in ("min", "max") and mode != better:
        raise ValueError(
            f"{key}.mode={mode}, but the best {name} is its {better}. Give {key}.mode={better}."
        )


def ending(trainer: Trainer, asked: str | None, own: Sequence[Callback]) -> str:
    """Return what ended a training.

    ``asked`` is the reason for a stop from outside, or None. ``own`` are the callbacks that the
    configuration adds.
    """
    if asked:
        return asked
    for one in own:
        if isinstance(one, EarlyStopping) and one.stopping_reason_message:
            told = one.stopping_reason_message.removesuffix(" Signaling Trainer to stop.")
            return f"early stopping: {told}"
    if trainer.global_step >= trainer.max_steps:
        return f"trainer.max_steps={trainer.max_steps}"
    clocks = (one for one in trainer.callbacks if isinstance(one, Timer))  # pyright: ignore[reportAttributeAccessIssue]
    if any((clock.time_remaining() or 0) <= 0 for clock in clocks):
        return "trainer.max_time"
    return f"a callback, one of {', '.join(type(o).__name__ for o in own)}" if own else "a callback"
