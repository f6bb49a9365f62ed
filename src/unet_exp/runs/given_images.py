"""The images that ``input=`` names: files, folders and globs."""

import glob
import os
from pathlib import Path
from typing import Any

from unet_exp.datasets.pairing import natural_key
from unet_exp.images.formats import SUFFIXES
from unet_exp.images.ome_zarr import holds_image, is_zarr
from unet_exp.runs.given_paths import listed


def find_images(source: Any) -> list[Path]:
    """Return the images that a file, a folder, a glob or a list of these names, each once.

    A folder means the images in it, but a Zarr folder is an image itself. Raises
    FileNotFoundError for an entry without an image.
    """
    found: dict[Path, Path] = {}
    for one in listed(source):
        for path in find_in(str(one)):
            # Path.resolve would raise an error for circular links.
            found.setdefault(Path(os.path.realpath(path)), path)
    if not found:
        raise FileNotFoundError("input=[] names no image. Give files, folders or quoted globs.")
    return list(found.values())


def find_in(source: str) -> list[Path]:
    """Return the images that one file, folder or glob names, sorted."""
    path = Path(source)
    if path.is_dir() and not is_zarr(path):
        found = [p for p in path.iterdir() if is_image(p)]
        missing = f"No image in {source}: it has no file ending in {', '.join(SUFFIXES)}, .zarr."
    elif path.exists():
        found, missing = [path], ""
    else:
        found = [p for p in map(Path, glob.glob(source, recursive=True)) if not in_zarr(p)]  # noqa: PTH207 - absolute too
        missing = f"No image at {source}. Give a file, a folder or a quoted glob ('scans/*.tif')."
    if not found:
        raise FileNotFoundError(missing)
    return sorted(found, key=lambda p: (p.parent, natural_key(p)))


def is_image(path: Path) -> bool:
    """Return whether a file is named like an image and not hidden.

    This includes broken links and folders, so that they are reported.
    """
    named = path.suffix.lower() in (*SUFFIXES, ".zarr")
    return not path.name.startswith(".") and (named or is_zarr(path))


def in_zarr(path: Path) -> bool:
    """Return whether a path is a part of a Zarr image, or a folder that is no image."""
    return any(is_zarr(above) and holds_image(above) for above in path.parents) or (
        path.is_dir() and not is_zarr(path)
    )


def require_separate(source: Any, paths: list[Path], output: Path) -> None:
    """Refuse an output folder that holds the images or lies inside an input folder.

    The next call would read the results as images. Raises ValueError.
    """
    target = output.resolve()
    if target in (Path(os.path.realpath(path)).parent for path in paths):
        raise ValueError(
            f"output={output} holds the images themselves. The next call would read the results "
            "as images. Give another folder."
        )
    for given in listed(source):
        # The folder that a recursive glob searches.
        while "**" in str(given):
            given = given.parent
        if given.is_dir() and given.resolve() in target.parents:
            raise ValueError(
                f"output={output} lies inside input={given}. Give a folder outside of it, so that "
                "images and results stay apart."
            )
