"""Save a training and end it cleanly when it is asked to stop."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, Self

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from unet_exp.configuration.errors import Preempted
from unet_exp.records.run_folder import RunFolder
from unet_exp.training.torchrun import rank, started_by_torchrun

#: Signals by which cluster schedulers and people ask a training to stop.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
#: torchrun forwards a Ctrl-C that its processes also get from the terminal. A second Ctrl-C within
#: these seconds is this copy.
ECHO = 1.0


class Stopping(Callback):
    """Stop a training on Ctrl-C, SIGTERM, SIGUSR1 or SIGUSR2, or when ``folder``/stop appears.

    The training writes ``checkpoints/last.ckpt`` after the next step of the optimiser and ends
    without a validation. If a validation is running, or is due at that step, the training ends
    after it. A resumed training reaches the same weights and scores as one that never stopped.

    A second Ctrl-C ends the training at once. Before training begins, the first Ctrl-C does so,
    because there is nothing to save.

    Place this callback after those whose state changes with every step, such as the EMA of the
    weights. As a context manager, it also registers signals before the training begins, except
    Ctrl-C.

    Parameters
    ----------
    folder
        The run folder. The text of its file ``stop`` becomes the reason. Write it atomically; it
        is looked for once a second and removed when the training ends.

    Attributes
    ----------
    reason
        Why the training ended: None if it finished, ``"interrupted"`` after Ctrl-C,
        ``"preempted"`` after another signal or an empty file, or the text of the file, such as
        ``"pruned"``. It is the same in all processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = RunFolder(folder)
        self.reason: str | None = None
        self.asked: str | None = None
        self.looked = -1.0
        self.step = 0
        self.agreed = False
        self.saved: int | None = None
        # Any of the processes may be asked to stop. All must stop at the same step.
        self.group: Any = None
        self.question: tuple[torch.Tensor, Any] | None = None
        self.before: dict[signal.Signals, Any] = {}
        self.interrupt: Any = None
        self.interrupted_at = -ECHO

    def __enter__(self) -> Self:
        self.before = {number: signal.getsignal(number) for number in SIGNALS}
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        if in_main_thread():
            for number, handler in self.before.items():
                signal.signal(number, handler)

    def listen(self) -> None:
        """Register the signal handlers; Python delivers signals only to the main thread."""
        if in_main_thread():
            for number in SIGNALS:
                signal.signal(number, self.note)

    def note(self, number: int, frame: Any) -> None:
        """Remember a signal, even after a Ctrl-C that has ended the training."""
        self.asked = "preempted" if self.reason else self.asked or "preempted"

    def interrupted(self, number: int, frame: Any) -> None:
        """Remember Ctrl-C; end at once if it comes again."""
        now = time.monotonic()
        if self.asked is None:
            self.asked, self.interrupted_at = "interrupted", now
            if rank() == 0:
                # A signal may interrupt a print, which must not be entered twice.
                os.write(2, b"\nSaving after the next step; Ctrl-C again ends at once.\n")
        elif now - self.interrupted_at >= ECHO or not started_by_torchrun():
            self.forget_interrupt()
            raise KeyboardInterrupt

    def raise_if_asked(self) -> None:
        """Raise Preempted if this process has been asked to stop, other than for ``reason``."""
        if self.asked != self.reason:
            raise Preempted

    def forget_interrupt(self) -> None:
        """Restore what Ctrl-C did before training."""
        if self.interrupt is not None and in_main_thread():
            signal.signal(signal.SIGINT, self.interrupt)
            self.interrupt = None

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self.forget_interrupt()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # A shell ignores Ctrl-C for a process in the background, and that stays so.
        if in_main_thread() and signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None):
            self.interrupt = signal.signal(signal.SIGINT, self.interrupted)
        # Lightning has just set a handler that would end the training at once. At the end it
        # restores the one before.
        self.listen()
        self.step = trainer.global_step
        if trainer.world_size > 1:
            self.group = torch.distributed.new_group(backend="gloo")

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        if trainer.global_step == self.step:
            return  # the accumulated gradients would be lost
        self.step = trainer.global_step
        self.agreed = self.agreed or self.asked_before(trainer)
        ends = trainer.should_stop or trainer.global_step >= trainer.max_steps
        # A validation follows the last batch of an interval; a resumed run would skip it.
        if self.agreed and not ends and not trainer.is_last_batch:
            trainer.save_checkpoint(self.folder.last)
            self.saved = trainer.global_step

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking:
            return
        self.agreed = self.agreed or self.asked_now(trainer)
        if self.agreed:
            self.saved = trainer.global_step  # by the checkpoints of this validation

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.end(trainer)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # At the end of the last batch, this would lead to a validation.
        if self.end(trainer):
            pl_module.halted = True  # pyright: ignore[reportArgumentType]

    def end(self, trainer: Trainer) -> bool:
        """End the training if its last step was saved for a stop and it is not ending anyway."""
        if self.saved != trainer.global_step or trainer.should_stop:
            return False
        trainer.should_stop = True
        self.reason = trainer.strategy.broadcast(self.asked or "preempted")
        return True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.forget_interrupt()
        if self.question:
            answer(self.question)
        if trainer.is_global_zero:
            self.folder.stop.unlink(missing_ok=True)

    def asked_before(self, trainer: Trainer) -> bool:
        """Return whether any process had been asked to stop one step ago.

        The result is the same in all processes. The exchange of the previous step has finished by
        now, so no step waits for it.
        """
        self.look(trainer)
        if self.group is None:
            return self.asked is not None
        earlier, self.question = self.question, self.ask()
        return earlier is not None and answer(earlier)

    def asked_now(self, trainer: Trainer) -> bool:
        """Return whether any process has been asked to stop."""
        before = self.asked_before(trainer)
        return before or (self.question is not None and answer(self.question))

    def ask(self) -> tuple[torch.Tensor, Any]:
        """Start an exchange between all processes whether one of them was asked to stop."""
        flag = torch.tensor(int(self.asked is not None))
        return flag, torch.distributed.all_reduce(
            flag, torch.distributed.ReduceOp.MAX, self.group, async_op=True
        )

    def look(self, trainer: Trainer) -> None:
        """Look for the file in the first process, at most once a second."""
        now = time.monotonic()
        if self.asked or not trainer.is_global_zero or now < self.looked + 1:
            return
        self.looked = now
        self.asked = self.folder.stop_request()


def answer(question: tuple[torch.Tensor, Any]) -> bool:
    """Wait for an exchange, and return its result."""
    flag, work = question
    work.wait()
    return bool(flag)


def in_main_thread() -> bool:
    """Return whether this thread can handle signals."""
    return threading.current_thread() is threading.main_thread()
