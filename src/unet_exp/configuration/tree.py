"""Nested plain data and its dotted keys."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a value and all values inside it with their keys; outer values come first.

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


def value_at(config: Mapping[str, Any], key: str) -> Any:
    """Return the value of a dotted key; None if there is none."""
    node: Any = config
    for name in key.split("."):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def is_under(key: str, keys: Sequence[str]) -> bool:
    """Tell whether a key is one of ``keys`` or below one of them.

    >>> is_under("hydra.sweep.dir", ["hydra.sweep"]), is_under("hydra.sweeper", ["hydra.sweep"])
    (True, False)
    """
    return any(key == one or key.startswith((f"{one}.", f"{one}/")) for one in keys)


def differences(old: Any, new: Any, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the keys at which two configurations differ, with both values.

    >>> list(differences({"model": {"depth": 4}}, {"model": {"depth": 5}}))
    [('model.depth', 4, 5)]
    >>> list(differences({"nodata": [float("nan")]}, {"nodata": [float("nan")]}))
    []
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from differences(old.get(name), new.get(name), f"{key}.{name}".lstrip("."))
    elif old != new and repr(old) != repr(new):  # NaN is not equal to itself
        yield key, old, new
