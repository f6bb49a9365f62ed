"""A training that is asked to stop saves itself at the next step and ends in order."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, Self

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

#: What schedulers of clusters, and people, send to ask for an end.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
#: Seconds within which torchrun hands the Ctrl-C on that its processes got from the terminal too.
ECHO = 1.0


class Stopping(Callback):
    """Stop a training on Ctrl-C, SIGTERM, SIGUSR1 or SIGUSR2, or when ``folder``/stop appears.

    Such a training writes ``checkpoints/last.ckpt`` after the next step of the optimiser and ends
    without a validation; where one is due at that step, or is under way, it ends after it. Resumed
    from there, it comes to the same weights and scores as if it had never stopped. A training
    that has come to its own end meanwhile has not been stopped.

    A second Ctrl-C ends it at once, and so does the first before training begins, when there is
    nothing to save.

    It stands behind the callbacks whose state changes with every step, such as the mean of the
    weights. As a context manager it hears the other signals before the training begins, too.

    Parameters
    ----------
    folder
        Of the run. The text in its file ``stop`` is taken for the reason, and the file is removed
        when the training ends; write it atomically. It is looked for once a second.

    Attributes
    ----------
    reason
        Why the training ended: None if by itself, ``"interrupted"`` by Ctrl-C, ``"preempted"`` by
        another signal or an empty file, or the text of the file, such as ``"pruned"``. The same in
        all processes.
    """

    def __init__(self, folder: Path) -> None:
        self.file, self.last = folder / "stop", folder / "checkpoints" / "last.ckpt"
        self.reason: str | None = None
        self.asked: str | None = None
        self.looked = -1.0
        self.step = 0
        self.agreed = False
        self.saved: int | None = None
        # Of several processes each may be asked, and all must stop at one step.
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
        """Note the signals from now on, where this is the main thread; only there they arrive."""
        if in_main_thread():
            for number in SIGNALS:
                signal.signal(number, self.note)

    def note(self, number: int, frame: Any) -> None:
        """Keep in mind that a signal came."""
        self.asked = self.asked or "preempted"

    def interrupted(self, number: int, frame: Any) -> None:
        """Keep Ctrl-C in mind; the second time, end at once."""
        now = time.monotonic()
        if self.asked is None:
            self.asked, self.interrupted_at = "interrupted", now
            if int(os.environ.get("RANK", 0)) == 0:
                # Not by print, in whose midst a signal may come.
                os.write(2, b"\nSaving after the next step; Ctrl-C again ends at once.\n")
        elif now - self.interrupted_at >= ECHO or "TORCHELASTIC_RUN_ID" not in os.environ:
            self.forget_interrupt()
            raise KeyboardInterrupt

    def forget_interrupt(self) -> None:
        """Let Ctrl-C end the process again, as before training."""
        if self.interrupt is not None and in_main_thread():
            signal.signal(signal.SIGINT, self.interrupt)
            self.interrupt = None

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        self.forget_interrupt()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # In the background of a shell Ctrl-C is ignored, and stays so.
        if in_main_thread() and signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None):
            self.interrupt = signal.signal(signal.SIGINT, self.interrupted)
        # Lightning has just put a handler of its own, which would end the training where it
        # stands. It puts back at the end what was there before it.
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
            return  # gradients are being accumulated, and would be lost
        self.step = trainer.global_step
        self.agreed = self.agreed or self.asked_before(trainer)
        ends = trainer.should_stop or trainer.global_step >= trainer.max_steps
        # After the last batch of an interval comes a validation, which a resumed run would skip.
        if self.agreed and not ends and not trainer.is_last_batch:
            trainer.save_checkpoint(self.last)
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
        # Had this been set at the end of the last batch, a validation would have followed.
        if self.end(trainer):
            pl_module.halted = True  # pyright: ignore[reportArgumentType]

    def end(self, trainer: Trainer) -> bool:
        """End the training if its last step was saved for that, and it does not end anyway."""
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
            self.file.unlink(missing_ok=True)

    def asked_before(self, trainer: Trainer) -> bool:
        """Whether any process had been asked to stop a step ago; the same in all processes.

        So the answer is there when it is looked for, and no step waits for it.
        """
        self.look(trainer)
        if self.group is None:
            return self.asked is not None
        earlier, self.question = self.question, self.ask()
        return earlier is not None and answer(earlier)

    def asked_now(self, trainer: Trainer) -> bool:
        """Whether any process has been asked to stop."""
        before = self.asked_before(trainer)
        return before or (self.question is not None and answer(self.question))

    def ask(self) -> tuple[torch.Tensor, Any]:
        """Begin to ask all processes whether one of them was asked to stop."""
        flag = torch.tensor(int(self.asked is not None))
        return flag, torch.distributed.all_reduce(
            flag, torch.distributed.ReduceOp.MAX, self.group, async_op=True
        )

    def look(self, trainer: Trainer) -> None:
        """Read the file, if there is one, in the first process and not too often."""
        now = time.monotonic()
        if self.asked or not trainer.is_global_zero or now < self.looked + 1:
            return
        self.looked = now
        try:
            self.asked = self.file.read_text().strip() or "preempted"
        except OSError:
            return


def answer(question: tuple[torch.Tensor, Any]) -> bool:
    """Wait until all processes have answered."""
    flag, work = question
    work.wait()
    return bool(flag)


def in_main_thread() -> bool:
    """Whether signals can be handled here."""
    return threading.current_thread() is threading.main_thread()
