"""Which images have no results yet, and which can have none."""

import os
from collections.abc import Sequence
from pathlib import Path

from unet_exp.images.ome_zarr import is_zarr
from unet_exp.prediction.manifest import Manifest
from unet_exp.prediction.result_files import ResultWriter

LONGEST = 255
"""Bytes of a file's name that file systems take."""


def find_pending(
    paths: Sequence[Path], results: ResultWriter, manifest: Manifest
) -> tuple[list[Path], dict[Path, str]]:
    """Return the images that wait to be segmented, and why others cannot be.

    Raises
    ------
    ValueError
        If none is left.
    """
    if results.together:
        return ([] if manifest.is_done(results.files(paths[0]), paths) else list(paths)), {}
    refused = clashing(paths, results)
    waiting, ready = [], 0
    for path in paths:
        if path in refused:
            continue
        try:
            require_names(path, results)
            if manifest.is_done(results.files(path), [path]):
                ready += 1
            else:
                waiting.append(path)
        except (ValueError, OSError) as error:
            refused[path] = str(error)
    if refused and not waiting and not ready:
        raise ValueError(next(iter(refused.values())))
    return waiting, refused


def clashing(paths: Sequence[Path], results: ResultWriter) -> dict[Path, str]:
    """Return the images whose results would overwrite each other's, and say so."""
    owners: dict[Path, list[Path]] = {}
    for path in paths:
        owners.setdefault(results.files(path)[-1], []).append(path)
    return {
        path: f"{' and '.join(map(str, several))} would {'both' if len(several) == 2 else 'all'} "
        f"be written to {target.name}: they are named alike but for folder or ending. Segment them "
        "into different output folders."
        for target, several in owners.items()
        if len(several) > 1
        for path in several
    }


def require_names(path: Path, results: ResultWriter) -> None:
    """Refuse an image of whose results one cannot have its name.

    Raises
    ------
    ValueError
        Naming it.
    """
    for file in results.files(path):
        if len(os.fsencode(file.name)) > LONGEST:
            raise ValueError(
                f"{path}: its result would be named {file.name[:40]}..., which is longer than "
                f"{LONGEST} bytes. Give the image a shorter name."
            )
        kind = "Zarr folder" if file.suffix == ".zarr" else "file"
        if file.exists() and not (is_zarr(file) if file.suffix == ".zarr" else file.is_file()):
            raise ValueError(
                f"{path}: {file} is there already, and is no {kind}. Move it away, or give another "
                "output folder."
            )
