"""Files and folders that appear whole or not at all: written under another name, then renamed."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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

    Raises
    ------
    OSError
        Of the body; it names ``path``, not the hidden one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:64]}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        if part.is_dir() and path.is_dir():
            shutil.rmtree(path)  # a folder cannot be renamed over another
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
