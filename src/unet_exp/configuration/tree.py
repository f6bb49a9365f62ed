"""Nested plain data and its dotted keys."""

from collections.abc import Iterator, Mapping, Sequence
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


def is_under(key: str, keys: Sequence[str]) -> bool:
    """Tell whether a key is one of some keys, or within one.

    >>> is_under("hydra.sweep.dir", ["hydra.sweep"]), is_under("hydra.sweeper", ["hydra.sweep"])
    (True, False)
    """
    return any(key == one or key.startswith((f"{one}.", f"{one}/")) for one in keys)
