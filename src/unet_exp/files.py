"""Write files and folders atomically, lock them, and read files that may come from anyone."""

import errno
import hashlib
import json
import math
import os
import re
import shutil
import socket
import stat
import tempfile
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from filelock import FileLock, Timeout

from unet_exp.secrets.masking import masked

#: Characters that a folder's name may have, in addition to letters and digits of any script.
PLAIN = set("-_.+@")
#: Names of devices on Windows, with or without a suffix.
RESERVED = {
    "CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in "123456789")
}  # fmt: skip
#: Bytes of the longest folder name; file systems allow 255.
LONGEST = 120
#: What gave the processes their numbers on Linux: a container, and a start of the system.
PROCESSES, BOOT = Path("/proc/self/ns/pid"), Path("/proc/sys/kernel/random/boot_id")
#: Errors of file systems without locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
#: Bytes of the largest record that is read, and how deep its values may be nested.
LARGEST_RECORD, DEEPEST_RECORD = 2**27, 50


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Provide a temporary path beside ``path``, and rename it to ``path`` at the end.

    If the body fails, the temporary file or folder is removed, and ``path`` does not change.
    Missing folders are created. Several processes may write to one path; the last one wins. An
    OSError of the body names ``path``, not the temporary file. What killed processes have left in
    the folder is removed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "scores.txt") as part:
    ...         _ = part.write_text("0.9")
    ...     [p.name for p in Path(folder).iterdir()]
    ['scores.txt']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_orphans(path.parent.absolute())
    part = hidden(path)
    try:
        yield part
        if part.is_dir():
            replace_folder(part, path)
        else:
            part.replace(path)
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)) == part:
            error.filename = str(path)
        raise
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def hidden(path: Path, kind: str = "part") -> Path:
    """Return a new hidden path beside ``path``, which names this process."""
    owner = f"{numbering()}-{os.getpid()}"
    return path.with_name(f".{path.name[:32]}.{owner}-{uuid.uuid4().hex[:8]}.{kind}")


@cache
def numbering() -> str:
    """Return a text that two processes share only if they know each other by their numbers.

    Machines may have one name, a container has numbers of its own, and a machine that starts again
    begins anew.
    """
    facts = [socket.gethostname()]
    with suppress(OSError):  # Linux alone tells these
        facts += [str(PROCESSES.readlink()), BOOT.read_text()]
    return hashlib.sha256("".join(facts).encode()).hexdigest()[:12]


@lru_cache(maxsize=4096)
def remove_orphans(folder: Path) -> None:
    """Remove the temporary files and folders that killed processes of this machine left here.

    A process lists each folder once, since a folder may hold many files.
    """
    for path in folder.glob(".*.part"):
        owner = re.search(rf"\.{numbering()}-([0-9]{{1,9}})-[0-9a-f]{{8}}\.part$", path.name)
        if owner and not is_running(int(owner[1])):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    path.unlink()


def remove_temporary_orphans() -> Path:
    """Remove what killed processes left in the system's temporary folder, and return the folder."""
    place = Path(tempfile.gettempdir())
    remove_orphans(place)
    return place


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Provide a folder that only this user may read, and remove it at the end.

    It is where the system keeps temporary files. Those of killed processes are removed, too.
    """
    folder = hidden(remove_temporary_orphans() / "unet_exp")
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_running(pid: int) -> bool:
    """Return whether this machine has a process of this number."""
    import psutil

    return psutil.pid_exists(pid)


def replace_folder(part: Path, path: Path, tries: int = 100) -> None:
    """Move the folder ``part`` to ``path``, and remove the folder that was there.

    A folder cannot be renamed to an existing one, so the old folder is first moved aside. If
    another process creates ``path`` in between, that folder is moved aside, too. If this process
    is killed in between, the old folder stays under a hidden name that ends with ``.old``.
    """
    for attempt in range(tries):
        aside = hidden(path, "old")
        with suppress(FileNotFoundError):
            path.rename(aside)
        try:
            part.rename(path)
        except OSError as error:
            if aside.exists() and not path.exists():
                with suppress(OSError):  # another process has just created it
                    aside.rename(path)
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and attempt < tries - 1:
                continue
            raise
        finally:
            if path.exists():
                shutil.rmtree(aside, ignore_errors=True)
        return


@contextmanager
def locked(path: Path, timeout: float = 0.0, busy: Exception | None = None) -> Iterator[None]:
    """Hold a lock file. The system releases it when this process dies.

    If another process holds it, this waits up to ``timeout`` seconds (without limit if negative),
    and then raises ``busy``, by default filelock.Timeout. On a file system without locks, nothing
    is locked.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, poll_interval=0.2)
    try:
        lock.acquire(timeout)
    except Timeout as error:
        raise busy or error from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        lock.release()


def read_bytes(path: Path, most: int = LARGEST_RECORD) -> bytes:
    """Return the content of a file that may come from anyone.

    Raises OSError if it cannot be read or is a pipe or a device, which may never end, and
    ValueError if it holds more than ``most`` bytes.
    """
    # O_NONBLOCK: opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path} holds more than {most} bytes.")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    It is empty if the file is missing, half written, no JSON object, nested too deeply or larger
    than 128 MiB.
    """
    try:
        content = json.loads(read_bytes(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and depth(content) <= DEEPEST_RECORD else {}


def depth(content: Any) -> int:
    """Return how deeply lists and dictionaries are nested.

    >>> depth(1), depth({"a": [1, {}]})
    (0, 3)
    """
    deepest, waiting = 0, [(content, 0)]
    while waiting:
        value, above = waiting.pop()
        if isinstance(value, dict | list):
            deepest = max(deepest, above + 1)
            inner = value.values() if isinstance(value, dict) else value
            waiting += [(one, above + 1) for one in inner]
    return deepest


def inside(folder: Path, name: str) -> Path | None:
    """Return the path of a file in a folder; None if the path or a link leads out of the folder.

    >>> inside(Path("run"), "pictures/a.png") == Path("run/pictures/a.png")
    True
    >>> inside(Path("run"), "../other/a.png"), inside(Path("run"), "/etc/passwd")
    (None, None)
    """
    path = folder / name
    try:
        return path if path.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, or links in a circle
        return None


def leads_out(name: str) -> bool:
    r"""Return whether the name of a member of an archive is a path out of it, on any system.

    >>> leads_out("a/b"), leads_out("../b"), leads_out("/b"), leads_out("..\\b")
    (False, True, True, True)
    """
    paths = PurePosixPath(name), PureWindowsPath(name)
    return any(one.is_absolute() or one.drive or ".." in one.parts for one in paths)


def require_no_links_out(path: Path, folder: Path) -> None:
    """Refuse links out of ``folder`` in ``path``, because writing would follow them.

    Refuse pipes and devices, too: opening them may never end. ``wandb`` folders are skipped:
    W&B links to its own logs elsewhere, and writes to a new folder each time.

    Raises ValueError that names the link.
    """
    found = [path]
    for above, folders, files in os.walk(path):
        if Path(above).name == "wandb":
            folders.clear()  # os.walk then goes no deeper
        else:
            found += [Path(above) / name for name in (*folders, *files)]
    for one in found:
        if one.is_symlink() and inside(folder, str(one.relative_to(folder))) is None:
            raise ValueError(
                f"{one} is a link to a file outside of {folder}, which would be overwritten. "
                "Remove the link, or give another folder."
            )
        if one.exists() and not (one.is_file() or one.is_dir()):
            raise ValueError(f"{one} is a pipe or a device. Remove it, or give another folder.")


def folder_name(name: Any) -> str:
    """Return a folder name that is valid on every system and as similar to a text as possible.

    >>> folder_name("hela_cpu"), folder_name("../a b/c"), folder_name("NUL"), folder_name("zoë 🙂")
    ('hela_cpu', '_._a_b_c', '_NUL', 'zoë_🙂')
    """
    text = unicodedata.normalize("NFC", str(name))
    text = "".join(letter if is_plain(letter) else "_" for letter in text)
    text = text.encode()[:LONGEST].decode(errors="ignore").rstrip(".")
    if text.startswith("."):
        text = f"_{text[1:]}"
    return f"_{text}" if text.split(".")[0].upper() in RESERVED else text or "unnamed"


def is_plain(letter: str) -> bool:
    """Return whether a character is valid in every folder name and needs no quotes in a shell."""
    return letter in PLAIN or letter.isalnum() or unicodedata.category(letter) in ("So", "Mn", "Mc")


def write_atomically(path: Path, text: str) -> None:
    """Write a text file atomically: a reader sees either the old content or the new one."""
    with replacing(path) as part:
        part.write_text(text)


def to_json(content: dict[str, Any]) -> str:
    """Return strict JSON without secrets; NaN and infinite numbers are written as null."""
    return json.dumps(finite(masked(content)), indent=2, default=str, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """Return plain data in which None replaces NaN and infinite numbers."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
