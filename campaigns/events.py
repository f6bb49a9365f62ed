"""The changes to files that a Python process is about to make, as its audit events tell."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
#: Where any process may write.
ANYWHERE = ("/dev/", "/proc/self/")


def changed_paths(event: str, told: tuple[Any, ...]) -> list[str]:
    """Return the real paths that an audit event changes, without those that do not matter."""
    found: list[Any] = []
    if event == "open" and isinstance(told[2], int) and told[2] & (os.O_WRONLY | os.O_RDWR):
        found = [told[0]]
    elif event in ("os.mkdir", "os.remove", "os.rmdir") and told[-1] >= 0:  # within an open folder
        found = [Path(f"/proc/self/fd/{told[-1]}").readlink() / os.fsdecode(told[0])]
    elif event in CHANGES:
        found = list(told[:2])
    paths = [one for one in found if isinstance(one, str | bytes | os.PathLike)]
    real = [os.path.realpath(os.fsdecode(path)) for path in paths]
    return [path for path in real if not path.startswith(ANYWHERE) and "__pycache__" not in path]


def is_inside(path: str, folder: str) -> bool:
    """Return whether a real path is a folder's or lies in it."""
    return path == folder or path.startswith(f"{folder}{os.sep}")


class Changes:
    """Counts the changes to files in a folder; calls a function before one of them.

    It cannot be removed from a process again, so it belongs into one of its own.
    """

    def __init__(self, folder: str, at: int = 0, act: Callable[[], None] = lambda: None) -> None:
        self.folder, self.at, self.act, self.count = folder, at, act, 0

    def __call__(self, event: str, told: tuple[Any, ...]) -> None:
        if any(is_inside(path, self.folder) for path in changed_paths(event, told)):
            self.count += 1
            if self.count == self.at:
                self.act()


class Seen:
    """Counts how often a folder has been seen to change; acts when it has changed so often.

    Unlike `Changes`, this sees the changes by all processes, but not each one.
    """

    def __init__(
        self, folder: Path, at: int = 0, act: Callable[[int], None] = lambda pid: None
    ) -> None:
        self.folder, self.at, self.act = folder, at, act
        self.count = 0
        self.last: dict[Path, int] = {}

    def __call__(self, pid: int) -> None:
        found = {}
        with suppress(OSError):  # a file may go while they are listed
            found = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}
        if found and found != self.last:
            self.last = found
            self.count += 1
            if self.count == self.at:
                self.act(pid)
