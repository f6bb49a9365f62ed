"""Find the images without results, and the images whose results cannot be written."""

import os
from collections.abc import Sequence
from pathlib import Path

from unet_exp.images.ome_zarr import is_zarr
from unet_exp.prediction.manifest import Manifest
from unet_exp.prediction.result_files import ResultWriter

LONGEST_NAME = 255
"""Bytes that file systems allow in a file name."""


def find_pending(
    paths: Sequence[Path], results: ResultWriter, manifest: Manifest
) -> tuple[list[Path], dict[Path, str]]:
    """Return the images to segment, and the reason for each refused image.

    Raises ValueError with the first reason if all images are refused.
    """
    if results.together:
        return ([] if manifest.is_done(results.files(paths[0]), paths) else list(paths)), {}
    refused = find_clashes(paths, results)
    pending, done = [], 0
    for path in paths:
        if path in refused:
            continue
        try:
            require_valid_names(path, results)
            if manifest.is_done(results.files(path), [path]):
                done += 1
            else:
                pending.append(path)
        except (ValueError, OSError) as error:
            refused[path] = str(error)
    if refused and not pending and not done:
        raise ValueError(next(iter(refused.values())))
    return pending, refused


def find_clashes(paths: Sequence[Path], results: ResultWriter) -> dict[Path, str]:
    """Return the images whose results would overwrite each other, each with a message."""
    images: dict[Path, list[Path]] = {}
    for path in paths:
        images.setdefault(results.files(path)[-1], []).append(path)
    return {
        path: f"{' and '.join(map(str, several))} would {'both' if len(several) == 2 else 'all'} "
        f"be written to {target.name}: their names differ only in folder or suffix. Segment them "
        "into different output folders."
        for target, several in images.items()
        if len(several) > 1
        for path in several
    }


def require_valid_names(path: Path, results: ResultWriter) -> None:
    """Raise ValueError if a result's name is too long, or is that of something else."""
    for file in results.files(path):
        if len(os.fsencode(file.name)) > LONGEST_NAME:
            raise ValueError(
                f"{path}: its result would be named {file.name[:40]}..., which is longer than "
                f"{LONGEST_NAME} bytes. Give the image a shorter name."
            )
        kind = "Zarr folder" if file.suffix == ".zarr" else "file"
        if file.exists() and not (is_zarr(file) if file.suffix == ".zarr" else file.is_file()):
            raise ValueError(
                f"{path}: {file} exists already and is no {kind}. Move it away, or give another "
                "output folder."
            )
