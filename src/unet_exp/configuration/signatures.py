"""Signatures read from source files, so that nothing needs to be imported to know them.

To import torch and torchmetrics takes seconds; to show the configuration needs neither.
"""

import ast
import importlib.util
from functools import cache
from inspect import Parameter
from pathlib import Path
from typing import Any, Optional, Union


class UnreadableError(Exception):
    """A signature that its source file does not tell by itself."""


class _Unknown(type):
    """The type of a name that stands for anything: ``Tensor``, ``np.ndarray``, ``Literal["a"]``."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Unknown

    def __getitem__(cls, item: Any) -> Any:
        return Unknown


class Unknown(metaclass=_Unknown):
    """A type of which no more is known than that a command line cannot give it."""


class _Names(dict[str, Any]):
    """Names in annotations: Python's own, and :class:`Unknown` for all others."""

    def __missing__(self, name: str) -> Any:
        return Unknown


_BUILT_IN = (int, float, bool, str, list, dict, tuple, set)


def parameters(target: str) -> list[Parameter]:
    """Return the parameters of a function, or of a class's constructor without ``self``.

    Annotations are types as far as they are Python's own; others are :class:`Unknown`.

    >>> [str(p) for p in parameters("unet_exp.losses.weighted_cross_entropy.WeightedCrossEntropy")]
    ["reduction: str = 'mean'"]

    Raises
    ------
    UnreadableError
        If the source does not tell: a computed default, or a base class that cannot be followed.
    """
    node, module = found(target)
    if isinstance(node, ast.ClassDef):
        return constructor(node, module)
    return of_function(node)


def found(target: str) -> tuple[ast.ClassDef | ast.FunctionDef, str]:
    """Return where a dotted path is defined, with the module, following imports."""
    module, _, name = target.rpartition(".")
    return defined(module, name)


def defined(module: str, name: str) -> tuple[ast.ClassDef | ast.FunctionDef, str]:
    """Return the definition of a name that a module has, its own or an imported one."""
    for node in source(module).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node, module
    for node in source(module).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return defined(absolute(node, module), alias.name)
    raise UnreadableError(f"{module}.{name} is not defined where it stands.")


def absolute(node: ast.ImportFrom, module: str) -> str:
    """Return the whole name of a module that another one imports from."""
    if not node.level:
        return node.module or ""
    package = module if path_of(module).name == "__init__.py" else module.rpartition(".")[0]
    parts = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def constructor(node: ast.ClassDef, module: str) -> list[Parameter]:
    """Return the parameters of a class, its own, a data class's fields, or its base's."""
    if any(ast.unparse(item).startswith("__signature__ = ") for item in node.body):
        raise UnreadableError(f"{module}.{node.name} computes its signature.")
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name in ("__init__", "__new__"):
            return of_function(item)[1:]
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        if node.bases:
            raise UnreadableError(f"{module}.{node.name} inherits fields.")
        fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
        return [
            Parameter(
                ast.unparse(item.target),
                Parameter.POSITIONAL_OR_KEYWORD,
                default=value(item.value) if item.value else Parameter.empty,
                annotation=annotation(item.annotation),
            )
            for item in fields
        ]
    for base in node.bases:
        if isinstance(base, ast.Name):
            return constructor_of(*defined(module, base.id))
    raise UnreadableError(f"{module}.{node.name} has no constructor that its file tells.")


def constructor_of(node: ast.ClassDef | ast.FunctionDef, module: str) -> list[Parameter]:
    """Return the parameters of a base class."""
    if not isinstance(node, ast.ClassDef):
        raise UnreadableError(f"{module}.{node.name} is no class.")
    return constructor(node, module)


def of_function(node: ast.FunctionDef) -> list[Parameter]:
    """Return the parameters of a function's definition."""
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    without = [None] * (len(positional) - len(given.defaults))
    pairs = [
        *zip(positional, [*without, *given.defaults], strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    known = [
        Parameter(
            argument.arg,
            Parameter.KEYWORD_ONLY
            if argument in given.kwonlyargs
            else Parameter.POSITIONAL_OR_KEYWORD,
            default=Parameter.empty if default is None else value(default),
            annotation=annotation(argument.annotation),
        )
        for argument, default in pairs
    ]
    if given.kwarg:
        known.append(Parameter(given.kwarg.arg, Parameter.VAR_KEYWORD))
    return known


def value(node: ast.expr) -> Any:
    """Return a default that is written out, or is arithmetic of numbers.

    >>> value(ast.parse("1 / 4", mode="eval").body)
    0.25
    """
    numbers = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Constant)
    try:
        if all(isinstance(part, numbers) for part in ast.walk(node)):
            return eval(ast.unparse(node), {"__builtins__": {}})  # noqa: S307 - numbers
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise UnreadableError(f"{ast.unparse(node)} is computed.") from error


def annotation(node: ast.expr | None) -> Any:
    """Return the type that an annotation names."""
    if node is None:
        return Parameter.empty
    names = _Names(
        {kind.__name__: kind for kind in _BUILT_IN}, Union=Union, Optional=Optional, Any=Any
    )
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
    try:
        return eval(text or ast.unparse(node), {"__builtins__": {}}, names)  # noqa: S307 - types
    except (SyntaxError, TypeError, AttributeError):  # no type that a command line could give
        return Unknown


@cache
def source(module: str) -> ast.Module:
    """Return the parsed source of a module."""
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


@cache
def path_of(module: str) -> Path:
    """Return the file of a module; only packages at the top are looked up, none is imported."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    roots = list(spec.submodule_search_locations or ()) if spec else []
    for root in map(Path, roots):
        place = root.joinpath(*rest)
        for path in (place / "__init__.py", place.with_suffix(".py") if rest else place):
            if path.is_file():
                return path
    raise UnreadableError(f"No source of {module}.")
