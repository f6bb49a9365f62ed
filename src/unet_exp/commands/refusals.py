"""A refused command leaves nothing behind: what was made before its work began is taken back."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from unet_exp.files import read_bytes

#: What stands in the folder of a command whose work has not begun; its log besides.
PRELIMINARY = {".hydra", "config.yaml", "summary.json", "wandb", "csv", "tensorboard"}


class Before:
    """What there was of a folder before a command wrote to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder = folder.expanduser().absolute()
        self.missing = [one for one in (folder, *folder.parents) if not one.exists()]
        self.names = names(folder)
        self.record = content(folder / "summary.json")
        self.composed = {path: content(path) for path in folder.glob(".hydra/*.yaml")}

    def put_back(self, folder: Path, log: str) -> None:
        """Undo what a command did to its folder, unless its work has begun there."""
        folder = folder.absolute()
        same = folder == self.folder  # else a new one was made in its place
        made = names(folder) - (self.names if same else set())
        resumed = same and "summary.json" in self.names
        if not made <= {*PRELIMINARY, log}:
            return
        if resumed and content(folder / "summary.json") != self.record:
            return
        for name in made:
            remove(folder / name)
        for path, before in self.composed.items() if same else ():
            if before is not None and content(path) != before:
                path.write_bytes(before)
        new = self.missing if same else [folder, *self.missing]
        for one in new:
            with suppress(OSError):  # something else is in it, or it is gone
                one.rmdir()


def names(folder: Path) -> set[str]:
    """Return what lies in a folder; nothing where it is not there."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def content(path: Path) -> bytes | None:
    """Return what a file holds, if it is there."""
    return read_bytes(path) if path.is_file() else None


class Notice(Callback):
    """Note, before Hydra makes the folder of a command, whether and how it was there."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Look at ``hydra.run.dir``."""
        noticed[:] = [Before(Path(str(config.hydra.run.dir)))]


#: Of the command that runs in this process.
noticed: list[Before] = []


def take_back(folder: Path | None, command: str) -> None:
    """Remove the folder of a command that was refused, unless it was there or holds results.

    A folder that was there keeps what it had, its ``.hydra`` as it was.
    """
    if folder is not None and noticed:
        with suppress(OSError):  # the refusal is what is told
            noticed[-1].put_back(folder, f"{command}.log")
    noticed.clear()


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
