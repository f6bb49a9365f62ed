"""Keep the summary of a run: state, scores and environment."""

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

from unet_exp.records.run_folder import RunFolder
from unet_exp.secrets.masking import masked

#: Libraries whose versions may change a result.
LIBRARIES = ("unet-exp", "torch", "lightning", "albumentations", "numpy", "opencv-python-headless")


@contextmanager
def summary(folder: RunFolder, resumed: bool, **facts: Any) -> Iterator[dict[str, Any]]:
    """Keep the summary of a run up to date while the body of the ``with`` statement trains.

    The state is ``running``, then ``finished``, ``failed`` or ``interrupted``. The body may add
    facts to the dictionary, also another state, such as ``preempted``. They are written at the end
    of the body, even if it fails. ``seconds`` is the sum over all restarts.

    Raises FileExistsError if the folder already holds a run and this one does not resume it.
    """
    folder.path.mkdir(parents=True, exist_ok=True)
    if not resumed:
        try:
            folder.summary.touch(exist_ok=False)
        except FileExistsError:
            raise FileExistsError(
                f"{folder.path} already holds a run. Add resume=true to resume it, or give "
                "another hydra.run.dir."
            ) from None
    started = time.monotonic()
    before = float(folder.read_summary().get("seconds") or 0.0) if resumed else 0.0
    content: dict[str, Any] = {"state": "running", **environment(), **facts, "seconds": before}
    try:
        folder.write_summary(content)
    except OSError:
        if not resumed:
            folder.summary.unlink(missing_ok=True)
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
        folder.write_summary(content)


def environment() -> dict[str, Any]:
    """Return what may change a result besides the configuration: host, versions, commit."""
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
    """Return the command of this process as a user would type it, without secrets."""
    return shlex.join([Path(sys.executable).name, *masked(sys.argv)])


def git_commit() -> str | None:
    """Return the commit of the code, with ``-dirty`` if it was changed; None outside a checkout."""

    def git(*words: str) -> str:
        answer = subprocess.run(  # noqa: S603 - fixed words
            ["git", *words],  # noqa: S607
            cwd=Path(__file__).parent,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # read only
            capture_output=True,
            text=True,
            check=True,
        )
        return answer.stdout.strip()

    try:
        # An installed copy may be inside the repository of another project.
        git("ls-files", "--error-unmatch", Path(__file__).name)
        return git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None
