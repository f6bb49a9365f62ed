"""Read every file of a data set, and name all that cannot be used, not the first alone."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")

#: So many files are named with what is wrong with them.
NAMED = 5


def read_every(items: Iterable[Item], read: Callable[[Item], Read]) -> list[Read]:
    """Return what ``read`` makes of each item.

    Raises
    ------
    ValueError, OSError
        Of the only item that cannot be used, or one that says what is wrong with each of several.

    >>> read_every(["1", "2"], int)
    [1, 2]
    >>> read_every(["1", "b", "c", "2"], int)
    Traceback (most recent call last):
    ValueError: 2 of 4 files cannot be used: invalid literal for int() with base 10: 'b'; ...
    """
    found: list[Read] = []
    errors: list[ValueError | OSError] = []
    for item in items:
        try:
            found.append(read(item))
        except (ValueError, OSError) as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        told = "; ".join(str(error).rstrip(".") for error in errors[:NAMED])
        more = f"; and {len(errors) - NAMED} more" if len(errors) > NAMED else ""
        raise ValueError(
            f"{len(errors)} of {len(errors) + len(found)} files cannot be used: {told}{more}."
        )
    return found
