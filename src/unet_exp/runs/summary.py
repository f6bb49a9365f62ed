"""The run folder is the record: summary.json, whole at any moment."""

import os
import platform
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from unet_exp.files import read_json, to_json, write_atomically
from unet_exp.secrets.masking import masked

#: Whose versions a result may depend on.
LIBRARIES = ("unet-exp", "torch", "lightning", "albumentations", "numpy", "opencv-python-headless")


@contextmanager
def summary(path: Path, resumed: bool, **facts: Any) -> Iterator[dict[str, Any]]:
    """Keep ``summary.json``: state ``running``, then ``finished``, ``failed`` or ``interrupted``.

    What the body puts into the dictionary is written at its end, also when it fails; a ``state``
    of its own, such as ``preempted``, stays. ``seconds`` are those of all parts of a resumed run,
    but for the last one before a kill.

    Raises
    ------
    FileExistsError
        If the folder already holds a run and this one does not resume it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not resumed:
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            raise FileExistsError(
                f"{path.parent} already holds a run. Add resume=true to go on with it, or give "
                "another hydra.run.dir."
            ) from None
    started = time.monotonic()
    before = float(read_summary(path.parent).get("seconds") or 0.0) if resumed else 0.0
    content: dict[str, Any] = {"state": "running", **environment(), **facts, "seconds": before}
    try:
        write_atomically(path, to_json(content))
    except OSError:
        if not resumed:
            path.unlink(missing_ok=True)
        raise
    try:
        yield content
        if content["state"] == "running":
            content["state"] = "finished"
    except (KeyboardInterrupt, SystemExit):
        content["state"] = "interrupted"
        raise
    except BaseException as error:
        content["state"] = "failed"
        content["error"] = f"{type(error).__name__}: {error}"
        raise
    finally:
        content["seconds"] = round(before + time.monotonic() - started, 1)
        write_atomically(path, to_json(content))


def read_summary(folder: Path) -> dict[str, Any]:
    """Return what ``summary.json`` of a run folder holds; nothing where it cannot be read."""
    return read_json(folder / "summary.json")


def amend(folder: Path, **facts: Any) -> None:
    """Write facts into the ``summary.json`` of a run that did not come to write them itself."""
    write_atomically(folder / "summary.json", to_json({**read_summary(folder), **facts}))


def environment() -> dict[str, Any]:
    """Return what a result depends on besides its configuration."""
    return {
        "command": command_line(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        **({"slurm_job_id": job} if (job := os.environ.get("SLURM_JOB_ID")) else {}),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
        "git_commit": git_commit(),
    }


def command_line() -> str:
    """Return what started this process, as one would type it, without secrets."""
    return shlex.join([Path(sys.executable).name, *masked(sys.argv)])


def git_commit() -> str | None:
    """Return the commit of the code, ``-dirty`` where it was changed; None outside a checkout."""

    def git(*words: str) -> str:
        answer = subprocess.run(  # noqa: S603 - fixed words
            ["git", *words],  # noqa: S607
            cwd=Path(__file__).parent,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # only look
            capture_output=True,
            text=True,
            check=True,
        )
        return answer.stdout.strip()

    try:
        # Installed into an environment inside somebody else's repository, it is not of it.
        git("ls-files", "--error-unmatch", Path(__file__).name)
        return git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None
