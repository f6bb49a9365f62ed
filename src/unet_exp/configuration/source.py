"""Definitions in Python source files, found without importing them.

Every command reads the signatures of all options. To import them takes 5 s, most of it torch; to
read their source takes 0.3 s.
"""

import ast
import importlib.util
from functools import cache
from pathlib import Path

Definition = ast.ClassDef | ast.FunctionDef


class UnreadableError(Exception):
    """A signature that the source file alone does not tell."""


def definition(module: str, name: str) -> tuple[Definition, str]:
    """Return the definition of a name in a module, and the module that it is imported from."""
    for node in source(module).body:
        if isinstance(node, Definition) and node.name == name:
            return node, module
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return definition(imported_module(node, module), alias.name)
    raise UnreadableError(f"{module}.{name} is not defined there.")


def imported_module(node: ast.ImportFrom, module: str) -> str:
    """Return the whole name of the module that an import names, relative ones included."""
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
    """Return the file of a module; only its top package is looked up, none is imported."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    for root in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
        path = root.joinpath(*rest)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
    raise UnreadableError(f"No source of {module}.")
