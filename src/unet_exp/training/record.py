"""The run folder is the record: metrics.csv and summary.json, whole at any moment."""

import csv
import io
import json
import math
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

from lightning.pytorch import Callback, LightningModule, Trainer

#: Whose versions a result may depend on.
LIBRARIES = ("unet-exp", "torch", "lightning", "albumentations", "numpy", "opencv-python-headless")


def write_atomically(path: Path, text: str) -> None:
    """Write under a temporary name, then rename: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Metrics(Callback):
    """Keep a row of every validation in ``metrics.csv``, also across a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self.started = time.monotonic()
        self.before = 0.0

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        # Here rather than at the start of training, which a finished run does not reach.
        if self.path.exists():
            with self.path.open(newline="") as file:
                rows = [{k: number(v) for k, v in row.items()} for row in csv.DictReader(file)]
            self.rows = [row for row in rows if row["step"] <= checkpoint["global_step"]]
            self.before = self.rows[-1]["seconds"] if self.rows else 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.started = time.monotonic()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # The last step's own loss says little; the mean since the last validation stands here.
        metrics = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if name != "train/step_loss"
        }
        if trainer.is_global_zero and any(name.startswith("val/") for name in metrics):
            self.rows.append(
                {
                    "step": trainer.global_step,
                    "seconds": round(self.before + time.monotonic() - self.started, 1),
                    "lr": trainer.optimizers[0].param_groups[0]["lr"],
                    **metrics,
                }
            )
            self.write()

    def write(self) -> None:
        """Write all rows anew."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.rows)
        write_atomically(self.path, text.getvalue())

    def best(self, name: str, mode: str) -> dict[str, Any]:
        """Return the row with the best value of a score; of the last one if none has it."""
        rows = [row for row in self.rows if not math.isnan(row.get(name, math.nan))]
        choose = max if mode == "max" else min
        return choose(rows, key=lambda row: row[name]) if rows else (self.rows or [{}])[-1]


def number(text: str | None) -> Any:
    """Return the number in a cell; NaN for an empty one."""
    if not text:
        return math.nan
    return int(text) if text.isdecimal() else float(text)


@contextmanager
def summary(path: Path, resumed: bool, **facts: Any) -> Iterator[dict[str, Any]]:
    """Keep ``summary.json``: state ``running``, then ``finished``, ``failed`` or ``interrupted``.

    What the body puts into the dictionary is written at its end, also when it fails.

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
    content: dict[str, Any] = {"state": "running", **facts, **environment()}
    try:
        write_atomically(path, to_json(content))
    except OSError:
        if not resumed:
            path.unlink(missing_ok=True)
        raise
    try:
        yield content
        content["state"] = "finished"
    except (KeyboardInterrupt, SystemExit):
        content["state"] = "interrupted"
        raise
    except BaseException as error:
        content["state"] = "failed"
        content["error"] = f"{type(error).__name__}: {error}"
        raise
    finally:
        content["seconds"] = round(time.monotonic() - started, 1)
        write_atomically(path, to_json(content))


def to_json(content: dict[str, Any]) -> str:
    """Return strict JSON; what is not a finite number is written as null."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return value

    return json.dumps(clean(content), indent=2, default=str, allow_nan=False) + "\n"


def environment() -> dict[str, Any]:
    """Return what a result depends on besides its configuration."""
    return {
        "command": shlex.join([Path(sys.executable).name, *sys.argv]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
        "git_commit": git_commit(),
    }


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
