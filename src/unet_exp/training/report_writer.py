"""Update the report of a run after each validation."""

import logging
import traceback
from collections.abc import Callable

from lightning.pytorch import Callback, LightningModule, Trainer

from unet_exp.seldom import Seldom

log = logging.getLogger(__name__)
trace = logging.getLogger("unet_exp.trace")


class ReportWriter(Callback):
    """Call ``write`` after a validation, in the first process.

    With many validations, the report takes long to write. Then it is left out after some of them,
    so that it takes at most 5 % of the time.

    If the report cannot be written, this is logged once, and the training continues.
    """

    def __init__(self, write: Callable[[], object]) -> None:
        self.write = write
        self.seldom = Seldom(self.close)
        self.failed = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero and not trainer.sanity_checking:
            self.seldom()

    def close(self) -> None:
        """Write the report; log the first error."""
        try:
            self.write()
        except Exception as error:
            if not self.failed:
                trace.error("".join(traceback.format_exception(error)))
                log.warning("The report could not be written: %s: %s", type(error).__name__, error)
            self.failed = True
