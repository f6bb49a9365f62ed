"""Choices and ranges of parameters, read from the checks in their constructors.

A constructor calls :func:`unet_exp.ranges.require_choice` and
:func:`unet_exp.ranges.require_range`, or :func:`unet_exp.ranges.require_ranges` with the
``RANGES`` of its class. The help shows the values that these calls allow.
"""

import ast
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from unet_exp.configuration.source import UnreadableError, assigned, lineage


def choices(target: str) -> dict[str, tuple[str, ...]]:
    """Return the allowed values of each parameter that has a fixed set of choices.

    >>> choices("unet_exp.models.unet.UNet")["padding"]
    ('valid', 'same')
    """
    found: dict[str, tuple[str, ...]] = {}
    for call, module in calls(target, "require_choice"):
        with suppress(UnreadableError):
            name, _, allowed = call.args
            found.setdefault(last(constant(name, module)), tuple(constant(allowed, module)))
    return found


def ranges(target: str) -> dict[str, tuple[float, float]]:
    """Return the smallest and largest value of each parameter that has a range.

    >>> ranges("unet_exp.models.unet.UNet")["depth"]
    (1, 7)
    """
    found: dict[str, tuple[float, float]] = {}
    for call, module in calls(target, "require_range"):
        with suppress(UnreadableError):
            low, high = (*(constant(one, module) for one in call.args), math.inf)[:2]
            for name in checked(call):
                found.setdefault(name, (low, high))
    for _, module in calls(target, "require_ranges"):
        with suppress(UnreadableError):
            found = {**declared(target, module), **found}
    return found


def declared(target: str, module: str) -> dict[str, tuple[float, float]]:
    """Return the ranges of numbers that the attribute ``RANGES`` of a class declares."""
    found: dict[str, tuple[float, float]] = {}
    for node, _ in lineage(target):
        fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
        switches = {ast.unparse(f.target) for f in fields if ast.unparse(f.annotation) == "bool"}
        for field in fields:
            if ast.unparse(field.target) != "RANGES" or not isinstance(field.value, ast.Dict):
                continue
            for key, value in zip(field.value.keys, field.value.values, strict=True):
                if key and isinstance(value, ast.Call) and ast.literal_eval(key) not in switches:
                    low, high = (*(constant(one, module) for one in value.args), math.inf)[:2]
                    found.setdefault(ast.literal_eval(key), (low, high))
    return found


def calls(target: str, name: str) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call of a function in a constructor and in those of its bases, with the module."""
    for node, module in lineage(target):
        functions = [node] if isinstance(node, ast.FunctionDef) else node.body
        for function in functions:
            if not isinstance(function, ast.FunctionDef):
                continue
            if function is not node and function.name not in ("__init__", "__post_init__"):
                continue
            for inner in ast.walk(function):
                if isinstance(inner, ast.Call) and ast.unparse(inner.func) == name:
                    yield inner, module


def checked(call: ast.Call) -> Iterator[str]:
    """Yield the names of the parameters that a call of ``require_range`` checks."""
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg
        elif isinstance(keyword.value, ast.Dict):  # **{"target.width": width}
            yield from (last(ast.literal_eval(key)) for key in keyword.value.keys if key)


def constant(node: ast.expr, module: str) -> Any:
    """Return the value of a constant expression; for a dictionary, its keys.

    Raises UnreadableError for other expressions.
    """
    match node:
        case ast.Name(name):
            return constant(*assigned(module, name))
        case ast.Subscript(value, ast.Constant(index)):
            return constant(value, module)[index]
        case ast.Dict(keys):
            return tuple(ast.literal_eval(key) for key in keys if key)
        case ast.Tuple(elements):
            return tuple(constant(element, module) for element in elements)
        case ast.BinOp(left, ast.Div(), right):
            return constant(left, module) / constant(right, module)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise UnreadableError(f"{ast.unparse(node)} is no constant.") from error


def last(name: str) -> str:
    """Return the last part of a dotted name."""
    return name.rpartition(".")[2]
