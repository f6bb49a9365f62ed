"""Read signatures from source files, without importing them.

Every command needs the signatures of all options. An import takes 5 s, most of it for torch.
Reading the source takes 0.3 s. A test compares each signature with the imported one.
"""

import ast
from inspect import Parameter
from typing import Any, Union

from unet_exp.configuration.source import UnreadableError, definition

TYPES: dict[str, Any] = {kind.__name__: kind for kind in (int, float, bool, str, list, dict, tuple)}


def parameters(target: str) -> list[Parameter]:
    """Return the parameters of a function, or of a class's constructor without ``self``.

    An annotation that a command line cannot give, such as ``Tensor``, becomes ``Any``.

    >>> [str(p) for p in parameters("unet_exp.losses.weighted_cross_entropy.WeightedCrossEntropy")]
    ["reduction: str = 'mean'"]

    Raises UnreadableError if a default is computed, or a name is not defined in Python source.
    """
    module, _, name = target.rpartition(".")
    node, module = definition(module, name)
    return constructor(node, module) if isinstance(node, ast.ClassDef) else of_function(node)


def constructor(node: ast.ClassDef, module: str) -> list[Parameter]:
    """Return the parameters of a class: its own, the fields of a data class, or its base's."""
    if any(ast.unparse(item).startswith("__signature__ = ") for item in node.body):
        raise UnreadableError(f"{module}.{node.name} computes its signature.")
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name in ("__init__", "__new__"):
            return of_function(item)[1:]
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        if node.bases:
            raise UnreadableError(f"{module}.{node.name} inherits fields.")
        fields = [
            item
            for item in node.body
            if isinstance(item, ast.AnnAssign)
            and not ast.unparse(item.annotation).startswith("ClassVar")
        ]
        return [parameter(ast.unparse(item.target), item.annotation, item.value) for item in fields]
    for base in node.bases:
        if isinstance(base, ast.Name):
            inherited, module = definition(module, base.id, node)
            if isinstance(inherited, ast.ClassDef):
                return constructor(inherited, module)
    raise UnreadableError(f"{module}.{node.name} has no constructor in its source.")


def of_function(node: ast.FunctionDef) -> list[Parameter]:
    """Return the parameters of a function."""
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    without = [None] * (len(positional) - len(given.defaults))
    known = [
        parameter(argument.arg, argument.annotation, default)
        for argument, default in zip(positional, [*without, *given.defaults], strict=True)
    ]
    known += [
        parameter(argument.arg, argument.annotation, default, Parameter.KEYWORD_ONLY)
        for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg:
        known.append(Parameter(given.kwarg.arg, Parameter.VAR_KEYWORD))
    return known


def parameter(
    name: str,
    annotated: ast.expr | None,
    default: ast.expr | None,
    kind: Any = Parameter.POSITIONAL_OR_KEYWORD,
) -> Parameter:
    """Return a parameter with the type and the default that the source states."""
    annotation = Parameter.empty if annotated is None else annotated_type(annotated)
    try:
        value = Parameter.empty if default is None else default_value(default)
    except (ValueError, TypeError) as error:
        raise UnreadableError(f"The default of {name} is computed.") from error
    return Parameter(name, kind, default=value, annotation=annotation)


def annotated_type(node: ast.expr) -> Any:
    """Return the type of an annotation; ``Any`` for types that a command line cannot give."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return parsed_type(text)
        case ast.Constant(value=value):  # the dots of tuple[int, ...]
            return value
        case ast.Name(id=name):
            return TYPES.get(name, Any)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[annotated_type(left), annotated_type(right)]  # noqa: UP007
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            return Union[annotated_type(inner), None]  # noqa: UP007
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=elements)):
            return Union[tuple(map(annotated_type, elements))]  # noqa: UP007
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in TYPES:
            elements = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return TYPES[name][tuple(map(annotated_type, elements))]
    return Any


def parsed_type(text: str) -> Any:
    """Return the type of an annotation that is a string.

    >>> parsed_type("list[int] | None") == list[int] | None, parsed_type("Tensor")
    (True, typing.Any)
    """
    return annotated_type(ast.parse(text, mode="eval").body)


def default_value(node: ast.expr) -> Any:
    """Return a default that is a literal, a quotient such as ``1.0 / 3``, or an empty field."""
    match node:
        case ast.Call(ast.Name("field"), [], [ast.keyword("default_factory", ast.Name(kind))]):
            return TYPES[kind]() if kind in TYPES else ast.literal_eval(node)
        case ast.BinOp(ast.Constant(numerator), ast.Div(), ast.Constant(denominator)):
            return numerator / denominator  # pyright: ignore[reportOperatorIssue]
    return ast.literal_eval(node)
