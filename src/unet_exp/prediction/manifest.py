"""``predict.json``: the images and settings of the result files beside it."""

import json
import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from unet_exp.configuration.tree import differences
from unet_exp.files import to_json, write_atomically
from unet_exp.runs.summary import environment
from unet_exp.seldom import Seldom


class Manifest:
    """Records which results exist, so that a second call makes only the missing ones.

    Parameters
    ----------
    path
        The JSON file. Results lie in its folder or below.
    settings
        All settings that the results depend on, in addition to the image.
    overwrite
        Whether results of other settings or images may be replaced. Without it, a file that
        cannot be read or has other settings raises ValueError.
    """

    def __init__(self, path: Path, settings: dict[str, Any], overwrite: bool) -> None:
        self.path, self.settings, self.overwrite = path, settings, overwrite
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.write_seldom = Seldom(self.write)
        self.existed = path.exists()
        if not self.existed:
            return
        try:
            content = json.loads(path.read_text())
            before, results = content["settings"], dict(content["results"])
        except (ValueError, KeyError, TypeError) as error:
            if overwrite:
                return
            raise ValueError(
                f"{path} cannot be read, so the settings of the results beside it are unknown. "
                "Give another output folder, or overwrite=true."
            ) from error
        changed = list(differences(before, settings))
        if changed and not overwrite:
            raise ValueError(
                f"{path.parent} holds results of other settings: "
                + ", ".join(f"{key}={then} (now {now})" for key, then, now in changed)
                + ". Give another output folder, or overwrite=true."
            )
        if not changed:
            self.results = results

    def is_done(self, files: Sequence[Path], images: Sequence[Path]) -> bool:
        """Return whether ``files`` exist and were made from ``images`` as they are now.

        Raises ValueError if they were made from other images and may not be overwritten.
        """
        existing = [file for file in files if file.exists()]
        if existing and not self.existed and not self.overwrite:
            raise ValueError(
                f"{existing[0]} exists already, and no predict.json beside it names its image. "
                "Give another output folder, or overwrite=true."
            )
        if self.overwrite:
            return False
        current = [identity(image) for image in images]
        paths = [entry["image"] for entry in current]
        done = len(existing) == len(files)
        for file in existing:
            recorded = self.results.get(self.key(file))
            # Paths are not compared, because images may be moved.
            if recorded is not None and fingerprints(recorded) == fingerprints(current):
                continue
            done = False
            if others := [e["image"] for e in recorded or () if e["image"] not in paths]:
                raise ValueError(
                    f"{file} was made from {others[0]}, not from {paths[0]}. Give another output "
                    "folder, or overwrite=true."
                )
        return done

    def add(self, files: Sequence[Path], images: Sequence[Path]) -> None:
        """Record that the results of ``images`` are complete.

        The file is not written after each image, so :meth:`write` must follow the last one. The
        results that a killed process has not recorded are made again.
        """
        self.results |= {self.key(file): [identity(image) for image in images] for file in files}
        self.write_seldom()

    def forget(self, files: Iterable[Path]) -> None:
        """Remove results that are about to be replaced."""
        for file in files:
            self.results.pop(self.key(file), None)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """What may change the results besides the settings."""
        return environment()

    def write(self) -> None:
        """Write the file atomically."""
        content = {"settings": self.settings, "results": self.results, **self.environment}
        write_atomically(self.path, to_json(content))

    def key(self, file: Path) -> str:
        """Return the key of a result file: its relative path."""
        return file.relative_to(self.path.parent).as_posix()


def identity(image: Path) -> dict[str, Any]:
    """Return an image's path, its size in bytes and the time of its last change.

    For a folder, they are the sum and the maximum over its files. A missing image has 0 bytes.
    """
    try:
        files = [p for p in image.rglob("*") if p.is_file()] if image.is_dir() else [image]
        stats = [file.stat() for file in files]
    except OSError:
        stats = []
    return {
        "image": os.path.realpath(image),
        "bytes": sum(stat.st_size for stat in stats),
        "changed": max((stat.st_mtime_ns for stat in stats), default=0),
    }


def fingerprints(entries: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """Return the size and the time of the last change of each image."""
    return [(entry["bytes"], entry["changed"]) for entry in entries]
