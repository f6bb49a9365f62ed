"""A training in processes of its own: one, or one for each device by torchrun."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
from omegaconf import DictConfig, OmegaConf

from unet_exp.configuration.errors import JobError, KilledError, Preempted
from unet_exp.records.run_folder import RunFolder
from unet_exp.secrets.masking import masked

#: What each process runs.
JOB = "unet_exp.runs.job"
#: Signals that ask a training to save itself and to end.
ASKING = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def run_job(
    cfg: DictConfig, path: Path, command: str, processes: int = 1, quiet: bool = False
) -> float:
    """Train in fresh processes, which write to ``folder``, and return the best score.

    Parameters
    ----------
    command
        What a person would type to train the same.
    processes
        As many, one for each device.
    quiet
        Write to ``train.log`` alone, as the jobs of a sweep do.

    Returns
    -------
    The score of the best checkpoint; NaN if there is none.

    Raises
    ------
    JobError
        With the words of the process that failed first; a KilledError where it left none.
    KeyboardInterrupt, Preempted
        If the training was asked to stop, and has saved itself.
    """
    path.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(path)
    before = folder.read_summary()
    with tempfile.TemporaryDirectory() as parts, folder.log.open("a") as log:
        told, settings = Path(parts) / "error.json", Path(parts) / "job.yaml"
        # With the secrets that it needs, for this user alone; a command line is for all to see.
        settings.touch(mode=0o600)
        settings.write_text(OmegaConf.to_yaml(cfg))
        words = [sys.executable, "-m", JOB, str(path), str(settings)]
        words += ["--command", shlex.join(masked(shlex.split(command)))]
        words += ["--processes", str(processes), "--parent", str(os.getpid())]
        begun = log.tell()
        with subprocess.Popen(  # noqa: S603 - our own module
            [*words, "--quiet"] if quiet else words,
            env={**os.environ, "TORCHELASTIC_ERROR_FILE": str(told)},
            stdin=subprocess.DEVNULL,
            stdout=log if quiet else None,
            stderr=log,
            # So that Ctrl-C reaches the training through us alone, and once.
            start_new_session=True,
        ) as process:
            code, interrupted = wait(process, processes)
        after = folder.read_summary()
        state = None if after == before else after.get("state")
        if state == "preempted":
            raise Preempted
        if interrupted and state == "running":  # it had no time to write more
            folder.amend_summary(state="interrupted")
        # One that came to its end meanwhile is whole; the jobs of its sweep end all the same.
        if state == "interrupted" or (interrupted and (quiet or state != "finished")):
            raise KeyboardInterrupt
        if code == 0 and state != "running":
            return float("nan") if after.get("score") is None else after["score"]
        error = own_words(told) or KilledError(reason(code, folder.log, begun))
    # The first process keeps the record, and may know but that another one is gone.
    if state == "running" or (state == "failed" and processes > 1):
        folder.amend_summary(state="failed", error=str(error))
    raise error


def wait(process: "subprocess.Popen[Any]", processes: int) -> tuple[int, bool]:
    """Wait for a training, and hand on to it what asks it to stop.

    Ctrl-C lets it save itself; once more, and all its processes end at once.

    Returns
    -------
    Its exit code, and whether there was a Ctrl-C.
    """
    with forwarding(process, processes):
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
def forwarding(process: "subprocess.Popen[Any]", processes: int) -> Iterator[None]:
    """Hand signals that ask to stop on to the processes that train."""

    def forward(number: int, frame: Any) -> None:
        tell(process, processes, signal.SIGUSR1)

    try:
        before = {number: signal.signal(number, forward) for number in ASKING}
    except ValueError:  # signals come to the main thread alone
        yield
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tell(process: "subprocess.Popen[Any]", processes: int, number: int) -> None:
    """Send a signal to each process that trains: the one that was started, or torchrun's."""
    try:
        started = psutil.Process(process.pid)
        # A training may have children of its own, which load images.
        for one in [started] if processes == 1 else started.children():
            one.send_signal(number)
    except psutil.Error:
        pass  # it has just ended


def family(process: "subprocess.Popen[Any]") -> list[psutil.Process]:
    """Return a process and all its descendants, as far as they still run."""
    try:
        parent = psutil.Process(process.pid)
        return [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return []


def own_words(told: Path) -> JobError | None:
    """Return what a job said of its end, if it did."""
    try:
        return JobError(str(json.loads(told.read_text())["message"]["message"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def reason(code: int, log: Path, begun: int) -> str:
    """Return what is known of the end of a job that said nothing: the signal that killed it."""
    text = log.read_bytes()[begun:].decode(errors="replace")
    found = re.search(r"exitcode\s*:\s*-(\d+)", text)
    number = -code if code < 0 else int(found[1]) if found else None
    if number is None:
        return f"The training ended with exit code {code}; {log} holds what it said."
    name = signal.Signals(number).name
    hint = " That is mostly for want of memory." if name == "SIGKILL" else ""
    return f"A process of the training was ended by {name}.{hint} What it said is in {log}."


def started_by_torchrun() -> bool:
    """Tell whether this is one of several processes that torchrun started with our command."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", 1)) > 1


def store() -> Any:
    """Return torchrun's own store, which all its processes on all machines reach."""
    from torch.distributed import PrefixStore, TCPStore  # pyright: ignore[reportPrivateImportUsage]

    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return PrefixStore("unet_exp", TCPStore(host, port, timeout=timedelta(minutes=30)))


def share(cfg: DictConfig, folder: Path) -> None:
    """Hand the settled configuration to the other processes of torchrun."""
    store().set("job", json.dumps([str(folder), OmegaConf.to_yaml(cfg)]))


def follow() -> tuple[DictConfig, Path]:
    """Receive what :func:`share` sent: configuration and run folder."""
    folder, text = json.loads(store().get("job"))
    return OmegaConf.create(text), Path(folder)  # pyright: ignore[reportReturnType]
