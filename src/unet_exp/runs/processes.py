"""Start a training in a new process, or with torchrun in a new process for each device."""

import os
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.errors import JobError, KilledError, Preempted
from unet_exp.files import temporary_folder
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.warm_start import UNKNOWN, Training, started
from unet_exp.secrets.masking import masked
from unet_exp.training.torchrun import ERROR_FILE, killing_signal, read_error

#: File descriptor of standard output.
SCREEN = 1
#: Signals that ask a training to save and end.
ASKING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def run_job(
    cfg: DictConfig, path: Path, command: str, processes: int = 1, quiet: bool = False
) -> float:
    """Train in new processes, which record the run in the folder ``path``.

    Return the score of the best checkpoint; NaN if there is none.

    Parameters
    ----------
    command
        The command that repeats the training.
    processes
        The number of processes, one for each device.
    quiet
        Write to the log only, as the jobs of a sweep do.

    Raises JobError with the error of the process that failed first, or KilledError if there is no
    error; KeyboardInterrupt or Preempted if the training was asked to stop and has been saved.
    """
    path.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(path)
    before = folder.read_summary()
    with temporary_folder() as parts, folder.log.open("a") as log:
        told, settings = parts / "error.json", parts / "job.yaml"
        # Settings hold secrets. Only this user may read the file, but all users see a command line.
        settings.touch(mode=0o600)
        settings.write_text(OmegaConf.to_yaml(cfg))
        arguments = [str(path), str(settings)]
        arguments += ["--command", shlex.join(masked(shlex.split(command)))]
        arguments += ["--processes", str(processes), "--parent", str(os.getpid())]
        arguments += ["--quiet"] if quiet else []
        begun = log.tell()
        env = {**os.environ, ERROR_FILE: str(told)}
        asked: list[int] = []
        # The first warm start takes seconds. A request to stop must not end this process meanwhile.
        with handling(ASKING, lambda number, _: asked.append(number)):
            process = started(arguments, env, log.fileno() if quiet else SCREEN, log.fileno())
        with process:
            if asked:
                os.killpg(process.pid, signal.SIGKILL)
            code, interrupted = wait(process, processes)
        if asked:
            raise Preempted
        after = folder.read_summary()
        state = None if after == before else after.get("state")
        if state == "preempted":
            raise Preempted
        if interrupted and state == "running":  # it was killed before it wrote its state
            folder.amend_summary(state="interrupted")
        # A training that has just finished is complete, but its sweep ends all the same.
        if state == "interrupted" or (interrupted and (quiet or state != "finished")):
            raise KeyboardInterrupt
        if (code == 0 and state != "running") or (code == UNKNOWN and state == "finished"):
            return float("nan") if after.get("score") is None else after["score"]
        message = read_error(told)
        error = JobError(message) if message else KilledError(reason(code, folder.log, begun))
    # The first process writes the record. It may only know that another process is gone.
    if state == "running" or (state == "failed" and processes > 1):
        folder.amend_summary(state="failed", error=str(error))
    raise error


def wait(process: Training, processes: int) -> tuple[int, bool]:
    """Wait for a training, and forward requests to stop.

    After the first Ctrl-C, the training saves and ends; after the second, all its processes end at
    once. Return the exit code, and whether there was a Ctrl-C.
    """
    with handling(ASKING, lambda *_: tell(process, processes, signal.SIGUSR1)):
        try:
            try:
                return process.wait(), False
            except KeyboardInterrupt:
                print("\nSaving; Ctrl-C again ends at once.", file=sys.stderr, flush=True)
                tell(process, processes, signal.SIGINT)
                return process.wait(), True
        except KeyboardInterrupt:
            for one in family(process):
                one.kill()
            return process.wait(), True


@contextmanager
def handling(numbers: Sequence[int], handler: Any) -> Iterator[None]:
    """Handle signals in another way while the body of a ``with`` statement runs."""
    try:
        before = {number: signal.signal(number, handler) for number in numbers}
    except ValueError:  # only the main thread gets signals
        yield
        return
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def tell(process: Training, processes: int, number: int) -> None:
    """Send a signal to each training process: the started one, or those of torchrun."""
    try:
        started = psutil.Process(process.pid)
        # The children of a training process only load images.
        for one in [started] if processes == 1 else started.children():
            one.send_signal(number)
    except psutil.Error:
        pass  # it has just ended


def family(process: Training) -> list[psutil.Process]:
    """Return a process and its descendants that still run."""
    try:
        parent = psutil.Process(process.pid)
        return [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return []


def reason(code: int, log: Path, begun: int) -> str:
    """Return why a job ended without an error: its exit code, or the signal that killed it."""
    report = log.read_bytes()[begun:].decode(errors="replace")
    number = -code if code < 0 else killing_signal(report)
    if code == UNKNOWN:
        return (
            "The training and the process that had started it were ended. The usual cause is too "
            f"little memory. Its output is in {log}."
        )
    if number is None:
        return f"The training ended with exit code {code}. Its output is in {log}."
    name = signal.Signals(number).name
    hint = " The usual cause is too little memory." if name == "SIGKILL" else ""
    return f"A process of the training was ended by {name}.{hint} Its output is in {log}."
