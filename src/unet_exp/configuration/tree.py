"""Nested plain data: every value with its dotted key."""

from collections.abc import Iterator, Mapping
from typing import Any


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a value and all values inside it, each with its key, the outer ones first.

    >>> list(walk({"a": [1, {"b": 2}]}))[1:]
    [('a', [1, {'b': 2}]), ('a[0]', 1), ('a[1]', {'b': 2}), ('a[1].b', 2)]
    """
    yield key, value
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from walk(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from walk(inner, f"{key}[{index}]")


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield each single value with its key.

    >>> list(leaves({"a": [1, {"b": 2}]}))
    [('a[0]', 1), ('a[1].b', 2)]
    """
    return ((key, one) for key, one in walk(value) if not isinstance(one, Mapping | list | tuple))
