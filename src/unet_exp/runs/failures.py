"""Explain in one line why an image could not be segmented."""

import errno
import os
from pathlib import Path

from unet_exp.configuration.errors import LOCKED, explain, is_full


def reason(path: Path, error: Exception) -> str:
    """Return one line with the error of an image and the name of the image.

    >>> reason(Path("a.tif"), ValueError("a.tif is empty."))
    'a.tif is empty.'
    >>> reason(Path("a.tif"), OSError(36, "File name too long", "out/a_instances.tif"))
    'a.tif: out/a_instances.tif cannot be read or written (File name too long).'
    """
    if is_about_memory(error):
        text = out_of_memory(error)
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.filename or path} cannot be read or written ({error.strerror})."
    elif isinstance(error, ValueError):
        text = " ".join(str(error).split()) or type(error).__name__
    else:
        text = explain(error)
    return text if str(path) in text else f"{path}: {text}"


def is_about_memory(error: BaseException) -> bool:
    """Return whether the machine or its GPU ran out of memory."""
    by_torch = type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and "allocate memory" in str(error)
    )
    return isinstance(error, MemoryError) or by_torch


def out_of_memory(error: BaseException) -> str:
    """Return the message for an image that does not fit into memory, with the remedy."""
    return (
        f"out of memory ({' '.join(str(error).split())[:120]}). Give a smaller tile "
        "(+inference.tile=512), or cut the image into smaller ones."
    )


def is_about_output(error: OSError, output: Path) -> bool:
    """Return whether the output folder accepts no more files, so that other images fail too."""
    if is_full(error):
        return True
    name = str(error.filename or "")
    inside = bool(name) and output.resolve() in Path(os.path.realpath(name)).parents
    locked = error.errno == errno.EROFS or not os.access(output, os.W_OK)
    return inside and error.errno in LOCKED and locked
