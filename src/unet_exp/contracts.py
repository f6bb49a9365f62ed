"""Check that a user's class has the members of a protocol."""

from inspect import get_annotations
from typing import Any


def members(contract: type) -> list[str]:
    """Return the names of a protocol's members, in the order of its source.

    >>> from typing import Protocol
    >>> class Sized(Protocol):
    ...     unit: str
    ...     def size(self) -> int: ...
    >>> members(Sized)
    ['unit', 'size']
    """
    found: dict[str, None] = {}
    for base in reversed(contract.__mro__):
        if getattr(base, "_is_protocol", False):
            named = [*get_annotations(base), *vars(base)]
            found |= dict.fromkeys(n for n in named if not n.startswith("_") or n == "__call__")
    return list(found)


def require_contract(part: str, value: Any, contract: type, remedy: str = "") -> None:
    """Refuse an object that lacks a member of a protocol.

    Parameters
    ----------
    part
        The group of options that chose the object, such as ``model``.

    Raises TypeError with the missing members, and with the place of their description.
    """
    if missing := [name for name in members(contract) if not hasattr(value, name)]:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TypeError(
            f"{part}: {kind} lacks {', '.join(missing)}. {contract.__module__}."
            f"{contract.__qualname__} describes what a {part} needs. {remedy}".strip()
        )
