"""Read all files of a dataset, and report every file that fails, not only the first."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")

NAMED = 5
"""Largest number of files whose errors are quoted."""


def read_every(items: Iterable[Item], read: Callable[[Item], Read]) -> list[Read]:
    """Return ``read(item)`` for each item.

    Raises the error of the item that fails, or a ValueError that quotes several.

    >>> read_every(["1", "2"], int)
    [1, 2]
    >>> read_every(["1", "b", "c", "2"], int)
    Traceback (most recent call last):
    ValueError: 2 of 4 files cannot be used: invalid literal for int() with base 10: 'b'; ...
    """
    results: list[Read] = []
    errors: list[ValueError | OSError] = []
    for item in items:
        try:
            results.append(read(item))
        except (ValueError, OSError) as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        quoted = "; ".join(str(error).rstrip(".") for error in errors[:NAMED])
        more = f"; and {len(errors) - NAMED} more" if len(errors) > NAMED else ""
        count = len(errors) + len(results)
        raise ValueError(f"{len(errors)} of {count} files cannot be used: {quoted}{more}.")
    return results
