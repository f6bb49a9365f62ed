"""Files and folders that appear whole or not at all: written under another name, then renamed."""

import errno
import json
import math
import os
import shutil
import stat
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from unet_exp.secrets.masking import masked

#: Letters of a folder's name besides letters and digits of any script.
PLAIN = set("-_.+@")
#: Names that Windows keeps for devices, whatever follows behind a dot.
RESERVED = {
    "CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in "123456789")
}  # fmt: skip
#: Bytes of a folder's name; file systems take 255.
LONGEST = 120


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a hidden name beside ``path`` to write to; at the end it takes the place of ``path``.

    If the body fails, what it wrote is removed and ``path`` stays as it was. Missing folders are
    made; any number of processes may write to one path at once, and the last one counts.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "scores.txt") as part:
    ...         _ = part.write_text("0.9")
    ...     [p.name for p in Path(folder).iterdir()]
    ['scores.txt']

    An OSError of the body names ``path``, not the temporary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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


def hidden(path: Path) -> Path:
    """Name a hidden file or folder beside a path, another one at each call."""
    return path.with_name(f".{path.name[:32]}.{uuid.uuid4().hex[:8]}.part")


def replace_folder(part: Path, path: Path, tries: int = 100) -> None:
    """Put a folder in the place of another, which is kept aside until the new one is there.

    A folder cannot be renamed over another, so that for a moment there is none; where another
    process puts one there in that moment, it is taken aside in its turn.
    """
    for attempt in range(tries):
        aside = hidden(path)
        with suppress(FileNotFoundError):
            path.rename(aside)
        try:
            part.rename(path)
        except OSError as error:
            if aside.exists() and not path.exists():
                with suppress(OSError):  # another process has just put one there
                    aside.rename(path)
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and attempt < tries - 1:
                continue
            raise
        finally:
            if path.exists():
                shutil.rmtree(aside, ignore_errors=True)
        return


#: Errors of file systems that have no locks.
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextmanager
def locked(path: Path, timeout: float = 0.0) -> Iterator[None]:
    """Hold a lock file, so that no other process does; the system frees it when this one dies.

    On a file system without locks nothing is held.

    Parameters
    ----------
    timeout
        Seconds to wait for another process that holds it; below 0: without end.

    Raises
    ------
    filelock.Timeout
        If another process still holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, poll_interval=0.2)
    try:
        lock.acquire(timeout)
    except Timeout:
        raise
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        lock.release()


#: Bytes of the largest record that is read.
LARGEST_RECORD = 2**27


#: How deep its values may be nested.
DEEPEST_RECORD = 50


def read_bytes(path: Path, most: int = LARGEST_RECORD) -> bytes:
    """Return what a file holds, which anybody may have put there.

    Raises
    ------
    OSError
        If it cannot be read, or is a pipe or a device, of which there may be no end.
    ValueError
        If it holds more than ``most`` bytes.
    """
    # A pipe is opened without waiting for somebody to write to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path} holds more than {most} bytes.")
    return content


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one where it is missing, or only half there.

    So it is with a file that is no JSON object, nested without end, or larger than 128 MiB.
    """
    try:
        content = json.loads(read_bytes(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and depth(content) <= DEEPEST_RECORD else {}


def depth(content: Any) -> int:
    """Return how deep lists and dictionaries are nested.

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
    """Return the path of a file in a folder; None if it lies elsewhere, also by a link.

    >>> inside(Path("run"), "pictures/a.png") == Path("run/pictures/a.png")
    True
    >>> inside(Path("run"), "../other/a.png"), inside(Path("run"), "/etc/passwd")
    (None, None)
    """
    path = folder / name
    try:
        return path if path.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, a circle of links
        return None


def require_no_links_out(path: Path, folder: Path) -> None:
    """Refuse a file or folder that is, or holds, a link out of ``folder``: it is written through.

    Likewise pipes and devices: who opens them may wait for ever.

    What is below ``wandb`` is W&B's: it links to its own logs elsewhere, replaces such links, and
    writes to a new folder each time.

    Raises ValueError, naming the link.
    """
    found = [path]
    for above, folders, files in os.walk(path):
        if Path(above).name == "wandb":
            folders.clear()  # so that the walk goes no deeper
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
    """Return a name for a folder within another, as near to any text as file systems allow.

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
    """Tell whether a letter may stand in any folder's name, and be typed without quotes."""
    return letter in PLAIN or letter.isalnum() or unicodedata.category(letter) in ("So", "Mn", "Mc")


def write_atomically(path: Path, text: str) -> None:
    """Write a text: a reader sees the old file or the new one."""
    with replacing(path) as part:
        part.write_text(text)


def to_json(content: dict[str, Any]) -> str:
    """Return strict JSON without secrets; what is not a finite number is written as null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    return json.dumps(clean(masked(content)), indent=2, default=str, allow_nan=False) + "\n"
