"""The folder of one training: the names and formats of its files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unet_exp.csv_tables import append_row, read_csv, to_csv
from unet_exp.files import read_json, to_json, write_atomically
from unet_exp.numbers import parse_number
from unet_exp.records.flat_yaml import read_flat, read_texts
from unet_exp.secrets.masking import masked, masked_word


class RunFolder:
    """The files of one training.

    A folder may come from anyone, and may be read while a training writes to it. So all files are
    written atomically, and files that are missing, damaged or too large count as empty. Only
    ``metrics.csv`` grows line by line, and a line without its end counts as missing.
    """

    #: Folders of the loggers.
    LOGGERS = ("wandb", "csv", "tensorboard")

    def __init__(self, path: Path) -> None:
        self.path = path
        #: State, scores and environment of the training.
        self.summary = path / "summary.json"
        #: The configuration that the training ran with.
        self.config = path / "config.yaml"
        #: The configuration as Hydra composed it, and the overrides.
        self.hydra = path / ".hydra"
        self.composed = self.hydra / "config.yaml"
        self.overrides = self.hydra / "overrides.yaml"
        #: Locked by the process that trains.
        self.lock = self.hydra / "lock"
        self.checkpoints = path / "checkpoints"
        self.best = self.checkpoints / "best.ckpt"
        self.last = self.checkpoints / "last.ckpt"
        #: A row for each validation.
        self.metrics = path / "metrics.csv"
        #: Step, time and score, written every second.
        self.progress = path / "progress.json"
        self.pictures = path / "pictures"
        #: The scored validation images of the best checkpoint, an evaluation folder.
        self.validation = path / "validation"
        #: An HTML page of the run.
        self.report = path / "report.html"
        self.log = path / "train.log"
        #: A file that asks the training to stop; it contains the reason.
        self.stop = path / "stop"

    def entries(self) -> set[str]:
        """Return the names of all files and folders that a training writes into its folder.

        >>> sorted(RunFolder(Path("run")).entries())[:4]
        ['.hydra', 'checkpoints', 'config.yaml', 'csv']
        """
        return own_entries(self) | {*self.LOGGERS}

    def holds_run(self) -> bool:
        """Return whether a training has written here."""
        return any(path.exists() for path in (self.checkpoints, self.summary, self.log))

    def checkpoint(self) -> Path | None:
        """Return the best checkpoint, else the last one, else None."""
        return next((path for path in (self.best, self.last) if path.is_file()), None)

    def read_summary(self) -> dict[str, Any]:
        """Return the content of ``summary.json``, without secrets."""
        return masked(read_json(self.summary))

    def write_summary(self, content: dict[str, Any]) -> None:
        """Write ``summary.json``."""
        write_atomically(self.summary, to_json(content))

    def amend_summary(self, **facts: Any) -> None:
        """Change values in ``summary.json`` for a training that could not write them itself."""
        self.write_summary({**self.read_summary(), **facts})

    def state(self) -> str:
        """Return the recorded state; empty if there is none."""
        return str(self.read_summary().get("state") or "")

    def read_progress(self) -> dict[str, Any]:
        """Return the content of ``progress.json``."""
        return read_json(self.progress)

    def write_progress(self, content: dict[str, Any]) -> None:
        """Write ``progress.json``."""
        write_atomically(self.progress, to_json(content))

    def read_metrics(self) -> list[dict[str, float]]:
        """Return the rows of ``metrics.csv``; a cell without a number is left out."""
        try:
            rows = read_csv(self.metrics, grows=True)
        except (OSError, ValueError):
            return []
        found = ({k: parse_number(text, finite=False) for k, text in row.items()} for row in rows)
        return [{k: n for k, n in row.items() if k and n is not None} for row in found]

    def write_metrics(self, rows: list[dict[str, Any]]) -> None:
        """Write ``metrics.csv``."""
        write_atomically(self.metrics, to_csv(rows))

    def append_metrics(self, rows: list[dict[str, Any]]) -> None:
        """Add the last row to ``metrics.csv``, which has the others; write all if it has not."""
        if not append_row(self.metrics, rows[-1]):
            self.write_metrics(rows)

    def read_overrides(self) -> list[str]:
        """Return the overrides of the training, without those of Hydra."""
        content = read_texts(self.overrides)
        listed = content if isinstance(content, list) else []
        return [masked_word(item) for item in listed if isinstance(item, str)]

    def read_config(self) -> dict[str, str]:
        """Return the configuration that the training ran with, by dotted keys."""
        return read_flat(self.config)

    def planned(self) -> dict[str, str]:
        """Return the values that the plan settled: those that were null when Hydra composed."""
        settled = self.read_config()
        composed = read_flat(self.composed)
        nulls = [key for key, text in composed.items() if text == "null"]
        return {key: settled[key] for key in nulls if settled.get(key, "null") != "null"}

    def request_stop(self, reason: str) -> None:
        """Ask the training to save a checkpoint and stop."""
        write_atomically(self.stop, reason)

    def stop_request(self) -> str | None:
        """Return the reason of a request to stop; None if there is no request."""
        try:
            return self.stop.read_text().strip() or "preempted"
        except OSError:
            return None

    def offline_wandb_runs(self) -> Iterator[Path]:
        """Yield the W&B runs that were not uploaded. W&B marks the uploaded ones."""
        for run in self.path.glob("wandb/offline-run-*"):
            if run.is_dir() and not list(run.glob("*.synced")):
                yield run


def own_entries(folder: Any) -> set[str]:
    """Return the names of all files and folders that the attributes of a folder describe."""
    inner = (path for path in vars(folder).values() if path != folder.path)
    return {path.relative_to(folder.path).parts[0] for path in inner}
