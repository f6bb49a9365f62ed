"""Find definitions in Python source files, without importing them.

Every command reads the signatures of all options. An import takes 5 s, most of it for torch.
Reading the source takes 0.3 s.
"""

import ast
import importlib.util
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

Definition = ast.ClassDef | ast.FunctionDef


class UnreadableError(Exception):
    """A signature cannot be determined from the source file."""


def definition(module: str, name: str, above: Definition | None = None) -> tuple[Definition, str]:
    """Return the definition of a name in a module, and the module that it is imported from.

    The last definition counts, as in Python; with ``above``, the last one above that definition. So
    the base of ``class Dice(Dice)`` is found.
    """
    body = source(module).body
    for node in reversed(body[: body.index(above)] if above else body):
        if isinstance(node, Definition) and node.name == name:
            return node, module
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return definition(imported_module(node, module), alias.name)
    raise UnreadableError(f"{module}.{name} is not defined there.")


def lineage(target: str, above: Definition | None = None) -> Iterator[tuple[Definition, str]]:
    """Yield a definition, the class whose signature it takes, and its base classes, with modules.

    Classes whose source cannot be read are left out.

    >>> [node.name for node, _ in lineage("unet_exp.targets.foreground.Foreground")]
    ['Foreground']
    """
    module, _, name = target.rpartition(".")
    with suppress(UnreadableError):
        node, module = definition(module, name, above)
        yield node, module
        if isinstance(node, ast.ClassDef):
            for base in [*signature_of(node), *node.bases]:
                if isinstance(base, ast.Name):
                    yield from lineage(f"{module}.{base.id}", node)


def signature_of(node: ast.ClassDef) -> list[ast.expr]:
    """Return a list with the class in ``__signature__ = signature(NAME)``, or an empty list."""
    for item in node.body:
        match item:
            case ast.Assign([ast.Name("__signature__")], ast.Call(ast.Name("signature"), [named])):
                return [named]
    return []


def assigned(module: str, name: str) -> tuple[ast.expr, str]:
    """Return the expression that a module assigns to a name, and the module that contains it.

    ``name`` may be an attribute, such as ``Adam.__doc__``.

    Raises UnreadableError if there is none.
    """
    for node in source(module).body:
        match node:
            case ast.Assign([target], value) if ast.unparse(target) == name:
                return value, module
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value):
                if found == name:
                    return value, module
            case ast.ImportFrom(names=names):
                for alias in names:
                    if (alias.asname or alias.name) == name:
                        return assigned(imported_module(node, module), alias.name)
    raise UnreadableError(f"{module}.{name} is not assigned there.")


def imported_module(node: ast.ImportFrom, module: str) -> str:
    """Return the full name of the module in an import statement, which may be relative."""
    if not node.level:
        return node.module or ""
    package = module if source_file(module).name == "__init__.py" else module.rpartition(".")[0]
    return importlib.util.resolve_name("." * node.level + (node.module or ""), package)


@cache
def source(module: str) -> ast.Module:
    """Return the parsed source of a module."""
    return ast.parse(source_file(module).read_text(encoding="utf-8"))


@cache
def source_file(module: str) -> Path:
    """Return the file of a module. Only its top-level package is looked up; nothing is imported."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top) if top else None
    if spec and spec.origin and not rest and spec.origin.endswith(".py"):
        return Path(spec.origin)
    for root in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        path = root.joinpath(*rest)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
    raise UnreadableError(f"No source of {module}.")
