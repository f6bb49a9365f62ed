"""Failing disks: one that is full, read-only, gone, or without locks; and a clock that jumps.

A command may end with an error that names the file and what to do, without a stack trace. Repeated
on a sound disk, it must end with the same results as an undisturbed one, and leave no temporary
file. Without locks, and with a clock that jumps, it must succeed at once. A full disk is a small
tmpfs, which takes root; for others it is a limit on the size of each file.
"""

import errno
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from campaigns import works
from campaigns.events import Changes
from campaigns.trials import FaultError, Kind, Limits
from campaigns.works import Undisturbed, Work

CASES = 100
LIMITS = Limits(seconds=100)
#: Bytes of a sound disk.
SOUND = 2**28
DISTURBED = ("full", "read_only", "gone", "no_locks", "clock")


def kinds(place: Path, share: float = 1.0) -> dict[str, Kind]:
    found = {}
    for name, work in works.all_works(place).items():
        for how in DISTURBED:
            every = 1 if how == "full" else 5
            found[f"{name}_{how}"] = Kind(disturbing(work, place, globals()[how]), every)
    return found


Disturb = Callable[[Work, Undisturbed, Random, Path], None]


def disturbing(work: Work, place: Path, how: Disturb) -> Callable[[Random, Path], None]:
    """The trial of a command on a disturbed disk, and again on a sound one."""

    def trial(rng: Random, folder: Path) -> None:
        here = folder / "here"
        here.mkdir()
        how(work, works.undisturbed(work, place), rng, here)

    return trial


def full(work: Work, expected: Undisturbed, rng: Random, here: Path) -> None:
    size = rng.randrange(2**12, int(1.2 * expected.size) + 2**16)
    what = f"on a disk of {size} bytes"
    if os.geteuid() == 0:
        with mounted(here, size):
            ended = work.start(here)
            require_explained(ended, what, "disk is full")
            mount(here, f"remount,size={SOUND}")
            finish(work, expected, here, what)
        return
    most = max(size // 4, 2**12)
    ended = work.start(here, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
    require_explained(ended, what, "disk is full")
    finish(work, expected, here, what)


def read_only(work: Work, expected: Undisturbed, rng: Random, here: Path) -> None:
    if os.geteuid():
        return
    what = "on a read-only disk"
    with mounted(here, SOUND):
        mount(here, "remount,ro")
        ended = work.start(here)
        if ended.code != 1:
            raise FaultError(f"{what}: ends with exit code {ended.code}")
        require_explained(ended, what, "cannot be read or written")
        mount(here, "remount,rw")
        finish(work, expected, here, what)


def gone(work: Work, expected: Undisturbed, rng: Random, here: Path) -> None:
    number = rng.randint(1, expected.changes)
    what = f"in a folder that vanishes before change {number} of {expected.changes}"

    def before() -> None:
        vanish = Changes(str(here), number, lambda: shutil.rmtree(here, ignore_errors=True))
        sys.addaudithook(vanish)

    ended = work.start(here, before)
    ended.require_clear(what)
    here.mkdir(exist_ok=True)
    finish(work, expected, here, what)


def no_locks(work: Work, expected: Undisturbed, rng: Random, here: Path) -> None:
    import fcntl

    code = rng.choice((errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP))

    def refuse(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    def before() -> None:
        fcntl.flock = fcntl.lockf = refuse

    finish(work, expected, here, f"on a disk without locks ({os.strerror(code)})", before)


def clock(work: Work, expected: Undisturbed, rng: Random, here: Path) -> None:
    """Let the time of day jump at one call in ten, by up to ten years to and fro."""
    now, seconds = time.time, 10 * 365 * 86400.0

    def jumping() -> float:
        if rng.random() < 0.1:
            offset[0] = rng.uniform(-seconds, seconds)
        return now() + offset[0]

    def before() -> None:
        time.time = jumping

    offset = [0.0]
    finish(work, expected, here, "with a clock that jumps", before)


def require_explained(ended: works.Ended, what: str, words: str) -> None:
    """Refuse another end than a success or the expected error."""
    ended.require_clear(what)
    if ended.code and words not in ended.screen:
        raise FaultError(f"{what}: exit code {ended.code} and no word of it: {ended.last}")


def finish(
    work: Work,
    expected: Undisturbed,
    here: Path,
    what: str,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Run a command that must succeed with the expected results."""
    ended = work.start(here, before)
    ended.require_clear(what)
    if ended.code and work.results(here) != expected.results:
        raise FaultError(f"{what}: the last command ends with exit code {ended.code}: {ended.last}")
    try:
        works.require_same(work.results(here), expected.results)
        works.require_nothing_left(here)
    except FaultError as error:
        raise FaultError(f"{what}: {error}") from error


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """Mount a tmpfs of so many bytes."""
    subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)


def mount(folder: Path, options: str) -> None:
    subprocess.run(["/bin/mount", "-o", options, str(folder)], check=True)
