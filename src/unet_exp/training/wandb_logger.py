"""Log to W&B, and continue to train if W&B's process ends."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from lightning.pytorch.loggers import WandbLogger as LightningsLogger
from wandb.errors import Error
from wandb.sdk.mailbox import HandleAbandonedError

log = logging.getLogger(__name__)

#: Errors that W&B raises when its process is gone. A scheduler that ends a job sends SIGTERM to all
#: of its processes. W&B's process ends at once, while the training still saves its checkpoint.
GONE = (ConnectionError, HandleAbandonedError, Error)


class WandbLogger(LightningsLogger):
    """Log to W&B while its process runs. The run folder has all records without it."""

    gone = False
    #: How the training ended. Lightning reports it before the postprocessing is fitted.
    status = "failed"

    def attempt(self, action: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Call a function of W&B, unless its process is gone."""
        if self.gone:
            return
        try:
            action(*arguments, **named)
        except GONE as error:
            self.gone = True
            message = " ".join(str(error).split()) or type(error).__name__
            log.warning("W&B's process is gone (%s). The run folder still holds all.", message)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.attempt(super().log_metrics, metrics, step)

    def log_image(
        self, key: str, images: list[Any], step: int | None = None, **kwargs: Any
    ) -> None:
        self.attempt(super().log_image, key, images, step, **kwargs)

    def log_hyperparams(self, params: Any) -> None:
        self.attempt(super().log_hyperparams, params)

    def finalize(self, status: str) -> None:
        self.status = status

    def finish(self, failed: bool) -> None:
        """Upload the checkpoints if chosen, and close W&B's run as finished or failed."""
        self.attempt(super().finalize, self.status)
        self.attempt(self.experiment.finish, exit_code=int(failed))
