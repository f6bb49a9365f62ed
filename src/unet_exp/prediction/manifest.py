"""Which results are of which images and settings: ``predict.json``, beside the results."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unet_exp.files import to_json, write_atomically
from unet_exp.runs.summary import environment
from unet_exp.training.checkpoint import differences


class Manifest:
    """Say what is done, so that another call does the rest.

    Parameters
    ----------
    path
        The file; results lie in its folder or below.
    settings
        What results depend on besides the image.
    overwrite
        Whether results of other settings or images may be replaced.

    Raises
    ------
    ValueError
        If the file cannot be read, or is of other settings, without ``overwrite``.
    """

    def __init__(self, path: Path, settings: dict[str, Any], overwrite: bool) -> None:
        self.path, self.settings, self.overwrite = path, settings, overwrite
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.begun = path.exists()
        if not self.begun:
            return
        try:
            held = json.loads(path.read_text())
            before, self.results = held["settings"], dict(held["results"])
        except (ValueError, KeyError, TypeError) as error:
            if overwrite:
                return
            raise ValueError(
                f"{path} cannot be read, so it is not known how the results beside it were made. "
                "Give another output folder, or overwrite=true."
            ) from error
        changed = list(differences(before, settings))
        if changed and not overwrite:
            raise ValueError(
                f"{path.parent} holds results of other settings: "
                + ", ".join(f"{key}={then} (now {now})" for key, then, now in changed)
                + ". Give another output folder, or overwrite=true."
            )
        if changed:
            self.results = {}  # what is there may be replaced, and counts for nothing

    def is_done(self, files: Sequence[Path], images: Sequence[Path]) -> bool:
        """Tell whether results are there and of these images as they are now.

        Raises
        ------
        ValueError
            If they are of others, and may not be overwritten.
        """
        there = [file for file in files if file.exists()]
        if there and not self.begun and not self.overwrite:
            raise ValueError(
                f"{there[0]} is there already, and no predict.json beside it says what it is of. "
                "Give another output folder, or overwrite=true."
            )
        held = self.results.get(self.name(files))
        if held is None or not all(file.exists() for file in files):
            return False
        now = [identity(image) for image in images]
        places = [entry["image"] for entry in now]
        others = [entry["image"] for entry in held if entry["image"] not in places]
        # The same files may have been moved together.
        marks = [(entry["bytes"], entry["changed"]) for entry in now]
        if [(entry["bytes"], entry["changed"]) for entry in held] == marks:
            return not self.overwrite
        if others and not self.overwrite:
            raise ValueError(
                f"{files[-1]} is of {others[0]}, not of {places[0]}. Give another output folder, "
                "or overwrite=true."
            )
        return False

    def enter(self, files: Sequence[Path], images: Sequence[Path]) -> None:
        """Write down that results are whole."""
        self.results[self.name(files)] = [identity(image) for image in images]
        self.write()

    def write(self) -> None:
        """Write the file, whole or not at all."""
        content = {"settings": self.settings, "results": self.results, **environment()}
        write_atomically(self.path, to_json(content))

    def name(self, files: Sequence[Path]) -> str:
        """Name results by their last file."""
        return files[-1].relative_to(self.path.parent).as_posix()


def identity(image: Path) -> dict[str, Any]:
    """Return where an image lies, its size in bytes and when it was changed, as a folder in all.

    Of one that is not there, nothing is known.
    """
    try:
        parts = (
            [p.stat() for p in image.rglob("*") if p.is_file()]
            if image.is_dir()
            else [image.stat()]
        )
    except OSError:
        parts = []
    return {
        "image": os.path.realpath(image),
        "bytes": sum(part.st_size for part in parts),
        "changed": max((part.st_mtime_ns for part in parts), default=0),
    }
