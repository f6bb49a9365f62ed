"""Read docstrings from Python source: a summary, a description, and a text for each parameter.

The module is not imported. The docstring may have the style of numpy or of Google.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

from unet_exp.configuration.source import UnreadableError, assigned, lineage

#: A parameter's text is cut after the last whole sentence within this number of characters.
LONGEST = 400
#: A text that refers to the same parameter elsewhere: "See `module.function`." or "As for ...".
REFERENCE = re.compile(r"(?:See|As for) `([\w.]+)`[.;]?\s*")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(])")
ENTRY = re.compile(r"\*{0,2}\w+(?:, \*{0,2}\w+)*(?: : .*)?")
GOOGLE_ENTRY = re.compile(r"(\s+)(\w+)(?: \(.*?\))? ?:\s(.*)")


@dataclass(frozen=True)
class Docstring:
    """The parts of a docstring, as plain text with names in single backticks."""

    summary: str = ""
    """Its first sentence."""
    description: str = ""
    """The other paragraphs before its first section, separated by blank lines."""
    parameters: dict[str, str] = field(default_factory=dict)


@cache
def docstring(target: str) -> Docstring:
    """Return the docstring of a function or class.

    The summary and the description are those of the class. The texts of its parameters may also
    come from its constructor, its base classes, or the class whose signature it takes.

    >>> docstring("unet_exp.models.unet.UNet").parameters["depth"]
    'Number of 2 x 2 max poolings.'
    """
    found = [parse(text) for node, module in lineage(target) for text in texts(node, module)]
    if not found:
        return Docstring()
    parameters: dict[str, str] = {}
    for one in reversed(found):
        parameters |= one.parameters
    followed = {name: follow(name, text) for name, text in parameters.items()}
    return Docstring(found[0].summary, found[0].description, followed)


def texts(node: ast.ClassDef | ast.FunctionDef, module: str) -> Iterator[str]:
    """Yield the docstrings of a definition: its own, an assigned one, and the constructor's."""
    yield ast.get_docstring(node) or assigned_docstring(node, module)
    for item in node.body if isinstance(node, ast.ClassDef) else ():
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            yield ast.get_docstring(item) or ""


def assigned_docstring(node: ast.ClassDef | ast.FunctionDef, module: str) -> str:
    """Return the text that a module assigns to ``NAME.__doc__``, as torch does for optimisers."""
    with suppress(UnreadableError):
        return inspect.cleandoc(text_of(*assigned(module, f"{node.name}.__doc__")))
    return ""


def text_of(node: ast.expr, module: str) -> str:
    """Return the text of an expression that joins texts.

    Raises UnreadableError if it does anything else.
    """
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.BinOp(left, ast.Add(), right):
            return text_of(left, module) + text_of(right, module)
        case ast.JoinedStr(values):
            return "".join(text_of(value, module) for value in values)
        case ast.FormattedValue(ast.Name(name)):
            return text_of(*assigned(module, name))
    raise UnreadableError(f"{ast.unparse(node)} is no text.")


def follow(name: str, text: str) -> str:
    """Return the text of a parameter; a reference is replaced by the text that it refers to."""
    found = REFERENCE.match(text)
    if not found or not (told := docstring(found[1]).parameters.get(name)):
        return text
    return f"{told} {text[found.end() :]}".strip()


def parse(text: str) -> Docstring:
    r"""Parse a docstring without indentation.

    >>> parse("Add.\n\nParameters\n----------\na, b\n    Terms.\n\nRaises E.").parameters
    {'a': 'Terms.', 'b': 'Terms.'}
    >>> parse("Add.\n\nArgs:\n    a (int): a term (default: 1)").parameters
    {'a': 'A term.'}
    """
    lines = text.splitlines()
    start = next((i for i in range(len(lines)) if is_header(lines, i)), len(lines))
    paragraphs = [plain(one) for one in prose(lines[:start])]
    summary, *rest = SENTENCE_END.split(paragraphs[0], maxsplit=1) if paragraphs else [""]
    description = "\n\n".join([*rest, *paragraphs[1:]])
    return Docstring(summary, description, {**google_entries(lines), **numpy_entries(lines)})


def is_header(lines: list[str], index: int) -> bool:
    """Tell whether a section begins at a line: its name over dashes, or ``Args:``."""
    below = lines[index + 1] if index + 1 < len(lines) else ""
    return bool(re.fullmatch("---+", below)) or lines[index] in ("Args:", "Example:", "Examples:")


def prose(lines: list[str]) -> Iterator[str]:
    """Yield the paragraphs, and the items of lists, up to a formula or a note."""
    for paragraph in re.split(r"\n\n+|\n(?=- )", "\n".join(lines).strip()):
        if re.match(r"\.\. |Note:|Note also", paragraph):
            return
        if paragraph and not re.match(r"\s|>>> |Shape: ", paragraph):
            yield paragraph


def numpy_entries(lines: list[str]) -> dict[str, str]:
    """Return the texts under ``Parameters``; ``a, b`` gives both names the same text."""
    found: dict[str, str] = {}
    start = lines.index("Parameters") + 2 if "Parameters" in lines else len(lines)
    names: list[str] = []
    for index in range(start, len(lines)):
        line = lines[index]
        if is_header(lines, index):
            break
        if line.startswith(" "):
            for name in names:
                found[name] = f"{found.get(name, '')}\n{line}"
        elif line:
            entry = ENTRY.fullmatch(line)
            names = [one.strip("* ") for one in line.partition(" : ")[0].split(",")]
            if not entry:
                break
    return {name: shortened(plain(text)) for name, text in found.items()}


def google_entries(lines: list[str]) -> dict[str, str]:
    """Return the texts under ``Args:``."""
    found: dict[str, str] = {}
    start = lines.index("Args:") + 1 if "Args:" in lines else len(lines)
    indent = name = ""
    for line in lines[start:]:
        if line and not line.startswith(" "):
            break
        entry = GOOGLE_ENTRY.fullmatch(line) or GOOGLE_ENTRY.fullmatch(f"{line} ")
        indent = indent or (entry[1] if entry else "")
        if entry and entry[1] == indent:
            name = entry[2]
            found[name] = entry[3]
        elif name:
            found[name] += f"\n{line}"
    return {name: sentence(plain(text.partition("\n\n")[0])) for name, text in found.items()}


def plain(text: str) -> str:
    r"""Return text in one line, without markup but single backticks, in words of YAML.

    >>> plain("``None``: see\n    :func:`f`, `B <b.html>`_; True.")
    '`null`: see `f`, `B`; true.'
    """
    text = " ".join(text.split())
    text = re.sub(r":\w+:(?=`)", "", text)
    text = re.sub(r"(?<!`)`([^`<]+?)(?: ?<[^`]*>)?`_{0,2}(?!`)", r"`\1`", text)
    text = text.replace("``", "`")
    for python, yaml in (("None", "null"), ("True", "true"), ("False", "false")):
        text = re.sub(rf"\b{python}\b", yaml, text)
    return text


def sentence(text: str) -> str:
    """Return the first sentence of a text, without a default.

    >>> sentence("learning rate (default: 1e-3). Give a float.")
    'Learning rate.'
    """
    text = re.sub(r"\s*\(default: (?:[^()]|\([^()]*\))*\)", "", text)
    first = SENTENCE_END.split(text, maxsplit=1)[0].strip()
    return first and f"{first[0].upper()}{first[1:].rstrip('.')}."


def shortened(text: str) -> str:
    """Return the first whole sentences that are not too long together, at least one."""
    first, *rest = SENTENCE_END.split(text)
    for one in rest:
        if len(first) + len(one) >= LONGEST:
            break
        first = f"{first} {one}"
    return first
