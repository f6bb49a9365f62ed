"""Find the YAML file of an option, in ``conf/`` or in a folder of the user."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unet_exp.configuration.commented_yaml import CommentedYaml, read
from unet_exp.configuration.groups import CONF

#: Folders with the layout of ``conf/``. If two have an option of the same name, the first counts.
Folders = Sequence[Path]


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
