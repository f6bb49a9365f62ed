"""Errors that name the file that cannot be read."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unet_exp.images.limits import TooLargeError


class NoMemoryError(ValueError):
    """A file does not fit into memory."""


class RefusedError(ValueError):
    """A file is valid but cannot be read in this way; the message says what to do."""


def one_line(error: BaseException) -> str:
    """Return the first 160 characters of an error's message, else its type."""
    return " ".join(str(error).split())[:160] or type(error).__name__


@contextmanager
def naming_memory_errors(path: Path) -> Iterator[None]:
    """Turn a MemoryError into a NoMemoryError that names the file and what helps."""
    try:
        yield
    except MemoryError as error:
        raise NoMemoryError(
            f"{path} does not fit into memory ({one_line(error)}). Save it as a "
            "tiled TIFF or as OME-Zarr, which predict.py reads in parts, or cut it into smaller "
            "images."
        ) from error


@contextmanager
def naming_refusal(path: Path) -> Iterator[None]:
    """Turn a ValueError into one that names the file, which is refused but not damaged."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path} is refused: {error}.") from error


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Turn any error of a codec or parser into a ValueError that names the file."""
    try:
        with naming_memory_errors(path):
            yield
    except NoMemoryError:
        raise
    except (TooLargeError, RefusedError) as error:
        raise ValueError(f"{path} is refused: {error}.") from error
    except Exception as error:
        # In a damaged file, parsers raise an OSError without a number, or seek to places before its
        # beginning (EINVAL).
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            error.filename = error.filename or str(path)
            raise
        raise ValueError(
            f"{path} cannot be read ({one_line(error)}). It is damaged, cut short or not what its "
            "name says: copy or export it again."
        ) from error
