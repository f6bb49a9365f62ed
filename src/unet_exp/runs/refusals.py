"""Undo what a command wrote before it was refused."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from unet_exp.files import read_bytes
from unet_exp.records.run_folder import RunFolder


def preliminary(run: RunFolder) -> set[str]:
    """Return the files, except the log, that a command may write before its work begins."""
    return {
        run.hydra.name,
        run.config.name,
        run.summary.name,
        run.report.name,
        *run.LOGGERS,
    }


class FolderBefore:
    """The state of a folder before a command writes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder = folder.expanduser().absolute()
        self.missing = [one for one in (folder, *folder.parents) if not one.exists()]
        self.names = names(folder)
        run = RunFolder(folder)
        self.record = content(run.summary)
        #: Files that even a refused command overwrites.
        self.rewritten = {path: content(path) for path in (*run.hydra.glob("*.yaml"), run.report)}

    def restore(self, folder: Path, log: str) -> None:
        """Undo what a command did to its folder, unless its work has begun there."""
        folder = folder.absolute()
        run = RunFolder(folder)
        same = folder == self.folder  # otherwise another folder was made instead
        made = names(folder) - (self.names if same else set())
        resumed = same and run.summary.name in self.names
        if not made <= {*preliminary(run), log}:
            return
        if resumed and content(run.summary) != self.record:
            return
        for name in made:
            path = folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        for path, before in self.rewritten.items() if same else ():
            if before is not None and content(path) != before:
                path.write_bytes(before)
        for one in self.missing if same else [folder, *self.missing]:
            with suppress(OSError):  # it holds something else, or is gone
                one.rmdir()


def names(folder: Path) -> set[str]:
    """Return the names in a folder; none if it does not exist."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def content(path: Path) -> bytes | None:
    """Return the content of a file; None if it does not exist."""
    return read_bytes(path) if path.is_file() else None


#: The state of the folder of the command that runs in this process.
states: list[FolderBefore] = []


class RememberFolder(Callback):
    """Remember the state of a command's folder before Hydra creates it."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Look at ``hydra.run.dir``."""
        states[:] = [FolderBefore(Path(str(config.hydra.run.dir)))]


def clean_up(folder: Path | None, command: str) -> None:
    """Remove the folder of a refused command, unless it existed before or holds results.

    A folder that existed before keeps its files, and its ``.hydra`` is restored.
    """
    if folder is not None and states:
        with suppress(OSError):  # the error of the refusal is more important
            states[-1].restore(folder, f"{command}.log")
    states.clear()
