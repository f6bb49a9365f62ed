"""End a training whose score stops improving."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer, callbacks
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason

from unet_exp.numbers import format_score


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's early stopping, which gives the same result if a training is resumed.

    It checks the score of each validation before the checkpoints of that validation are written. A
    score that is NaN counts as no improvement.

    Parameters
    ----------
    monitor
        Name of a score, such as ``val/seg``.
    mode
        ``max`` or ``min``: which of its values are better.
    patience
        Number of validations in a row without improvement after which training ends; at least 1. A
        resumed training uses its own value.
    min_delta
        An improvement must be larger than this, in the unit of the score.
    stopping_threshold, divergence_threshold
        Training ends at once if the score is better than the first, or worse than the second.

    Raises ValueError if ``patience`` is not positive, or ``mode`` is neither ``max`` nor ``min``.
    """

    def __init__(
        self,
        monitor: str,
        mode: str,
        patience: int = 10,
        min_delta: float = 0.0,
        stopping_threshold: float | None = None,
        divergence_threshold: float | None = None,
    ) -> None:
        if patience < 1:
            raise ValueError(f"patience={patience} would end at once. Give 1 or more.")
        if mode not in ("min", "max"):
            raise ValueError(
                f"mode={mode} is no direction. Give max, where more is better, or min."
            )
        super().__init__(
            monitor,
            mode=mode,
            patience=patience,
            min_delta=min_delta,
            stopping_threshold=stopping_threshold,
            divergence_threshold=divergence_threshold,
            check_finite=False,
            check_on_train_epoch_end=False,
        )

    @property
    def thresholds(self) -> list[float | None]:
        """The scores that end a training at once."""
        return [self.stopping_threshold, self.divergence_threshold]

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "thresholds": self.thresholds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "patience": self.patience})
        patience = self.stopping_reason == EarlyStoppingReason.PATIENCE_EXHAUSTED
        same = state_dict.get("thresholds") == self.thresholds
        if self.wait_count >= self.patience:
            self.stopping_reason = EarlyStoppingReason.PATIENCE_EXHAUSTED
            self.stopping_reason_message = self.exhausted()
        elif patience or not same:  # with other limits than those that stopped it
            self.stopping_reason = EarlyStoppingReason.NOT_STOPPED
            self.stopping_reason_message = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # If early stopping has ended a training, the training stays ended when it is resumed.
        ended = self.stopping_reason != EarlyStoppingReason.NOT_STOPPED
        trainer.should_stop = trainer.should_stop or ended

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_validation_end(trainer, pl_module)
        if self.stopping_reason == EarlyStoppingReason.PATIENCE_EXHAUSTED:
            self.stopping_reason_message = self.exhausted()

    def exhausted(self) -> str:
        """Return the message for a training that ends because the score does not improve."""
        return (
            f"{self.monitor} did not improve in {self.wait_count} "
            f"validation{'s' * (self.wait_count > 1)} (best {format_score(float(self.best_score))})"
        )
