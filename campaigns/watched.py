"""Run cases in a process of their own, and see that they end, take little, and stay inside."""

import contextlib
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from campaigns.events import changed_paths, is_inside
from campaigns.trials import Case, FaultError, Kind, Limits, Outcome

#: Bytes of addresses that a case may take beyond its limit of memory before Python refuses more.
ROOM = 2**32
#: A case may take so much longer by the clock than by its own work, on a machine with other work.
WAIT = 6
#: Seconds that a process has to tidy up when it is ended.
TIDYING = 2
#: Events of Python that start a program or a connection.
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect")
#: The one program that may start: it asks for the version of the project's own code.
GIT = "git"


class Watched:
    """A process that runs cases one by one. One that hangs or crashes is replaced.

    Parameters
    ----------
    strict
        Whether a case must not start programs, connect anywhere, or write outside of its folder.
    """

    def __init__(
        self, kinds: dict[str, Kind], place: Path, limits: Limits, strict: bool = True
    ) -> None:
        self.kinds, self.limits, self.strict = kinds, limits, strict
        self.folder, self.log = place / "case", place / "screen"
        self.process: Any = None
        self.connection: Any = None
        self.before = 0

    def __enter__(self) -> "Watched":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def run(self, case: Case) -> Outcome:
        """Run a case in an empty folder, which is removed behind it."""
        if not self.process:
            self.start()
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "tmp").mkdir(parents=True)
        start = time.monotonic()
        self.connection.send(case)
        outcome: Outcome
        try:
            if not self.connection.poll(WAIT * self.limits.seconds):
                self.end()
                taken = time.monotonic() - start
                return Outcome(f"has not ended after {taken:.0f} s", taken)
            outcome = self.connection.recv()
        except EOFError:
            self.process.join()
            code = self.process.exitcode
            self.end()
            return Outcome(f"its process ends with exit code {code}", time.monotonic() - start)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return outcome

    def start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=self.serve, args=(theirs,), daemon=False)
        self.process.start()
        theirs.close()

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.join(TIDYING)
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None

    def serve(self, connection: Connection) -> None:
        """Run the cases that come, in the new process."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self.connection.close()  # or it would not see that the campaign has ended
        os.environ["TMPDIR"] = str(self.folder / "tmp")
        tempfile.tempdir = None
        print_into(self.log)
        if self.limits.memory is not None:
            most = field_of_status("VmSize") + self.limits.memory + ROOM
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
        self.before = field_of_status("VmRSS")
        said: list[str] = []
        if self.strict:
            sys.addaudithook(lambda event, told: said.extend(self.outside(event, told)))
        with contextlib.suppress(EOFError, KeyboardInterrupt):
            while True:
                connection.send(self.outcome(connection.recv(), said))

    def outcome(self, case: Case, said: list[str]) -> Outcome:
        os.truncate(self.log, 0)
        os.lseek(1, 0, os.SEEK_SET)
        os.chdir(self.folder)
        start = time.process_time()
        count_memory_anew()
        said.clear()
        fault, note = None, None
        try:
            note = self.kinds[case.kind].trial(case.random, self.folder)
        except FaultError as error:
            fault = str(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            fault = f"raises {type(error).__name__}: {error}"
        seconds, memory = (
            time.process_time() - start,
            max(0, field_of_status("VmHWM") - self.before),
        )
        logging.shutdown()
        os.chdir("/")
        sys.stdout.flush()
        sys.stderr.flush()
        with self.log.open(errors="replace") as file:
            screen = file.read(2**20)
        if fault is None:
            fault = self.judged(said, screen, seconds, memory)
        return Outcome(fault and " ".join(fault.split())[:600], seconds, memory, note or "")

    def judged(self, said: list[str], screen: str, seconds: float, memory: int) -> str | None:
        """What a case did that none may do."""
        if said:
            return f"acts outside of its folder: {', '.join(dict.fromkeys(said))}"
        if "Traceback (most recent call last)" in screen:
            return f"prints a stack trace that ends with {screen.strip().splitlines()[-1]}"
        if seconds > self.limits.seconds:
            return f"takes {seconds:.1f} s"
        if self.limits.memory is not None and memory > self.limits.memory:
            return f"takes {memory / 2**20:.0f} MiB of memory"
        if self.strict and (left := os.listdir(self.folder / "tmp")):  # noqa: PTH208
            return f"leaves {', '.join(sorted(left))} in the folder for temporary files"
        return None

    def outside(self, event: str, told: tuple[Any, ...]) -> list[str]:
        """What an event does outside of the folder of the case."""
        if event in STARTS and told[0] != GIT:
            return [f"{event} {str(told)[:100]}"]
        paths = changed_paths(event, told)
        return [f"{event} {path}" for path in paths if not is_inside(path, str(self.folder))]


def print_into(path: Path) -> None:
    """Let this process print into a file, also what is no Python."""
    screen = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(screen, 1)
    os.dup2(screen, 2)
    sys.stdout, sys.stderr = (
        open(number, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        for number in (1, 2)
    )


def count_memory_anew() -> None:
    """Let the peak of memory be counted from here."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def field_of_status(name: str) -> int:
    """Bytes by Linux's record of this process; 0 on other systems."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)
