"""Parameters of a postprocessing, which can be changed after the network has run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from unet_exp.ranges import Range

#: What a value of each kind may be, numbers of NumPy included, and its name.
TYPES: dict[type, tuple[Any, str]] = {
    bool: ((bool, np.bool_), "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a postprocessing.

    Attributes
    ----------
    name, value
        Name and value in the postprocessing.
    kind
        bool, int or float.
    range
        The allowed values.
    """

    name: str
    value: float
    kind: type
    range: Range


def parameters(postprocessing: Any) -> list[Parameter]:
    """List the parameters for which a postprocessing declares ``RANGES``.

    >>> from unet_exp.postprocessing.components import Components
    >>> [one.name for one in parameters(Components())]
    ['threshold', 'min_size', 'fill_holes', 'connectivity', 'grow']
    """
    ranges = getattr(postprocessing, "RANGES", {})
    if not ranges or not is_dataclass(postprocessing):
        return []
    return [
        Parameter(one.name, getattr(postprocessing, one.name), kind_of(one.type), ranges[one.name])
        for one in fields(postprocessing)
        if one.name in ranges
    ]


def kind_of(annotation: Any) -> type:
    """Return the type of a parameter, whose annotation may be a string."""
    return {"bool": bool, "int": int}.get(getattr(annotation, "__name__", annotation), float)


def with_values(postprocessing: Any, values: Mapping[str, Any]) -> Any:
    """Return a postprocessing with other values of its parameters.

    Raises ValueError if it has no such parameter, or a value is of another type or out of range.

    >>> from unet_exp.postprocessing.components import Components
    >>> with_values(Components(), {"threshold": 0.7}).threshold
    0.7
    """
    known = {one.name: one for one in parameters(postprocessing)}
    for name, value in values.items():
        if name not in known:
            kind = type(postprocessing).__name__
            has = f"Choose some of {', '.join(known)}." if known else "It has no parameters."
            raise ValueError(f"{name}={value} is no parameter of {kind}. {has}")
        types, needed = TYPES[known[name].kind]
        is_truth = isinstance(value, bool | np.bool_)
        if not isinstance(value, types) or (is_truth and known[name].kind is not bool):
            raise ValueError(f"{name}={value!r} is of type {type(value).__name__}. Give {needed}.")
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
    return replace(postprocessing, **plain) if plain else postprocessing
