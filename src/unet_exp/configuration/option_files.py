"""The YAML files of options, in ``conf/`` or in folders of the user, with their comments."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from unet_exp.configuration.groups import CONF

#: Folders with the layout of ``conf/``. If two have an option of the same name, the first counts.
Folders = Sequence[Path]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PACKAGE = re.compile(r"# @package (\S+)")


@dataclass(frozen=True)
class CommentedYaml:
    """The content of a YAML file, and its comments without the number signs."""

    content: dict[str, Any]
    package: str
    """The text after ``# @package``; empty if there is none."""
    head: tuple[str, ...]
    """The lines of the comment above the first key."""
    comments: dict[str, str]
    """Comments by dotted key: the one above and the one after the value, joined to one line."""


@cache
def read(path: Path) -> CommentedYaml:
    """Read a YAML file. The result is cached and shared, so do not change it.

    Raises OSError if there is no such file, and yaml.YAMLError if it is no YAML.
    """
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    with path.open("rb") as file:  # messages of the loader then name the file
        loader = LOADER(file)
        root = loader.get_single_node()
    found = PACKAGE.match(text)
    package = found[1] if found else ""
    if not isinstance(root, yaml.MappingNode):
        return CommentedYaml({}, package, (), {})
    told = dict(comments(root, lines))
    first = root.value[0][0].start_mark.line if root.value else len(lines)
    head = tuple(one for one in above(lines, first) if not one.startswith("@package "))
    return CommentedYaml(loader.construct_document(root), package, head, told)


def comments(node: yaml.MappingNode, lines: list[str], key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted key and the comment of each value that has one."""
    seen = -1
    for name, value in node.value:
        line, full = name.start_mark.line, f"{key}.{name.value}".lstrip(".")
        told = above(lines, line) if line != seen else ()
        beside = lines[value.end_mark.line : value.end_mark.line + 1]
        behind = [one[value.end_mark.column :].strip() for one in beside]
        behind = [one.lstrip("# ") for one in behind if one.startswith("#")]
        if text := " ".join(one.strip() for one in (*told, *behind)):
            yield full, text
        if isinstance(value, yaml.MappingNode) and value.start_mark.line > line:
            yield from comments(value, lines, full)
        seen = line


def above(lines: list[str], index: int) -> tuple[str, ...]:
    """Return the lines of the comment that ends directly above a line.

    >>> above(["a: 1", "# One.", "# Two.", "b: 2"], 3)
    ('One.', 'Two.')
    """
    start = index
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return tuple(line.lstrip()[1:].removeprefix(" ") for line in lines[start:index])


def option_names(group: str, folders: Folders = (CONF,)) -> list[str]:
    """Return the options of a group, folder by folder, sorted by name."""
    found = [path.stem for folder in folders for path in sorted((folder / group).glob("*.yaml"))]
    return list(dict.fromkeys(found))


def option_file(group: str, option: str, folders: Folders = (CONF,)) -> Path:
    """Return the file of an option.

    Raises FileNotFoundError if there is none.
    """
    for folder in folders:
        if (path := folder / group / f"{option}.yaml").is_file():
            return path
    raise FileNotFoundError(f"There is no {group}={option}.")


def chain(group: str, option: str, folders: Folders = (CONF,)) -> Iterator[CommentedYaml]:
    """Yield the file of an option, and then those that it extends.

    >>> [file.content.get("_target_") for file in chain("model", "unet_small")]
    [None, 'unet_exp.models.unet.UNet']
    """
    file = read(option_file(group, option, folders))
    yield file
    if file.package == "_global_":  # it chooses options of several groups
        return
    for entry in file.content.get("defaults", ()):
        name = entry.partition("@")[0] if isinstance(entry, str) else "_self_"
        above, _, extended = name.removeprefix("/").rpartition("/")
        if name != "_self_" and not name.startswith("/schema/"):
            yield from chain(above or group, extended, folders)


def stated(files: Sequence[CommentedYaml]) -> dict[str, Any]:
    """Return the values in a chain of files, without ``defaults``."""
    values: dict[str, Any] = {}
    for file in reversed(files):
        values |= file.content
    values.pop("defaults", None)
    return values
