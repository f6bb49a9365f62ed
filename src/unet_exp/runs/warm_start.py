"""Start trainings from a process that has imported their packages already.

The imports take most of the time of a small training. Here, one process of :class:`WarmStarter`
imports them once, and forks a new process for each training. Each training still has a process of
its own, with its own folder, log and session: one that fails ends only its own process.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Self

import psutil

from unet_exp.configuration import schema
from unet_exp.configuration.groups import GROUPS, targets
from unet_exp.training.torchrun import ERROR_FILE

#: The module whose ``main`` each process runs.
JOB = "unet_exp.runs.job"
#: What a training imports when it runs, beside what :data:`JOB` and these import themselves.
IMPORTED = (
    "unet_exp.runs.fit",
    "unet_exp.runs.final_fit",
    "unet_exp.images.formats",
    "unet_exp.images.tiff",
    "unet_exp.images.png",
    "unet_exp.augmentations.grey_values",
    "PIL.WebPImagePlugin",
    "torch._dynamo",
)
#: The exit code of a training that has outlived its starter.
UNKNOWN = 255
#: Bytes of the longest request.
LONGEST = 1 << 20


class WarmProcess:
    """A training that was forked elsewhere, with what a caller uses of ``subprocess.Popen``."""

    def __init__(self, answers: socket.socket) -> None:
        with answers:
            self.answers = answers.makefile()
        number = self.answers.readline()
        if not number:
            self.answers.close()
            raise OSError("The process that starts trainings has ended.")
        self.pid = int(number)
        self.returncode: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        self.answers.close()

    def wait(self) -> int:
        """Wait for the end of the process; return its exit code as Popen does, or ``UNKNOWN``."""
        if self.returncode is None:
            if code := self.answers.readline():
                self.returncode = int(code)
            else:  # the starter is gone
                with contextlib.suppress(psutil.Error):
                    psutil.Process(self.pid).wait()
                self.returncode = UNKNOWN
        return self.returncode


class WarmStarter:
    """Fork a process for each training. The starter ends with the process that made it.

    Parameters
    ----------
    compared
        Names of environment variables that must have the values of now when a training starts,
        because imports read them. None means all but the one that differs for each training.
    """

    def __init__(self, compared: Collection[str] | None = None) -> None:
        self.compared = compared
        self.environment = self.fixed_variables(os.environ)
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the trainings
            )

    def fixed_variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of an environment that must not change."""
        names = set(environment) - {ERROR_FILE} if self.compared is None else self.compared
        return {name: environment[name] for name in names if name in environment}

    def start(
        self, arguments: Sequence[str], env: Mapping[str, str], output: int, errors: int
    ) -> WarmProcess | None:
        """Start ``python -m unet_exp.runs.job ARGUMENT...`` in the current folder.

        Parameters
        ----------
        output, errors
            File descriptors of standard output and standard error.

        Returns
        -------
        The process. None if it has to be started in another way, because the environment differs
        or the starter has ended.
        """
        if self.fixed_variables(env) != self.environment:
            return None
        request = {"arguments": list(arguments), "env": dict(env), "folder": str(Path.cwd())}
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                streams = [output, errors, theirs.fileno()]
                socket.send_fds(self.requests, [json.dumps(request).encode()], streams)
            return WarmProcess(ours)
        except OSError:
            ours.close()
            return None

    def close(self) -> None:
        """End the starter. Trainings that run go on."""
        self.process.kill()  # it may be in the midst of its imports
        self.process.wait()
        self.requests.close()


#: A training that has been started.
Training = WarmProcess | subprocess.Popen[bytes]
#: The starter of this process, while there is one.
_starter: WarmStarter | None = None


@contextmanager
def warm_starts(compared: Collection[str] | None = None) -> Iterator[None]:
    """Let trainings start warm while the body of a ``with`` statement runs.

    Parameters
    ----------
    compared
        As for :class:`WarmStarter`.

    Elsewhere than on Linux, a fork of a process that has imported torch may hang, so each training
    starts as a new program there.
    """
    global _starter
    if _starter or sys.platform != "linux":
        yield
        return
    _starter = WarmStarter(compared)
    try:
        yield
    finally:
        _starter.close()
        _starter = None


def started(arguments: Sequence[str], env: Mapping[str, str], output: int, errors: int) -> Training:
    """Start ``python -m unet_exp.runs.job ARGUMENT...`` in a session of its own, warm if it can be.

    Parameters
    ----------
    output, errors
        File descriptors of standard output and standard error.
    """
    if _starter and (process := _starter.start(arguments, env, output, errors)):
        return process
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", JOB, *arguments],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        # Ctrl-C reaches the training once, through this process.
        start_new_session=True,
    )


def serve(requests: socket.socket) -> None:
    """Import the packages; then fork a process for each request until nobody can ask any more."""
    parts = (target for group in GROUPS for target in targets(group).values())
    own = {target.rpartition(".")[0] for target in parts if target.startswith("unet_exp.")}
    for module in (JOB, *IMPORTED, *sorted(own)):
        importlib.import_module(module)
    schema.register()
    gc.freeze()  # else each process would copy the shared memory when it collects garbage
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not requests:
                    selector.unregister(key.fileobj)
                    tell_end(key.fd, *key.data)
                    continue
                message, streams, _, _ = socket.recv_fds(requests, LONGEST, 3)
                if not message:
                    return
                pid = os.fork()
                if pid == 0:
                    selector.close()
                    requests.close()
                    become(json.loads(message), streams)
                output, errors, answers = streams
                os.close(output)
                os.close(errors)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, answers))


def tell_end(handle: int, pid: int, answers: int) -> None:
    """Write the exit code of a process that has ended, for whoever asked for the process."""
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os.close(answers)
    os.close(handle)


def become(request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    """Run the training that was asked for in this process."""
    os.setsid()  # before the number is known, so that the session can be signalled from then on
    *outputs, answers = streams
    os.write(answers, f"{os.getpid()}\n".encode())
    os.close(answers)
    for number, stream in enumerate([os.open(os.devnull, os.O_RDONLY), *outputs]):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["folder"])
    if not sys.flags.safe_path:
        sys.path[0] = request["folder"]
    sys.argv = [JOB, *request["arguments"]]
    import numpy as np

    np.random.seed()  # noqa: NPY002 - the state that all would share; Python's own changes by itself
    sys.exit(importlib.import_module(JOB).main())


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
