"""Read a YAML file that may come from anyone as dotted keys and texts."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from unet_exp.files import read_bytes
from unet_exp.secrets.masking import masked_word

#: Largest numbers of bytes and of values in the file.
LARGEST_FILE, MOST_VALUES = 2**20, 5000


class Texts(yaml.BaseLoader):
    """Build texts, lists and dictionaries alone. References, which may multiply, are refused."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references")
        return super().compose_node(parent, index)


def read_texts(path: Path) -> Any:
    """Return the content of a YAML file, its values as texts.

    None if the file is missing, damaged, too large, or has references.
    """
    try:
        return yaml.load(read_bytes(path, LARGEST_FILE).decode("utf-8"), Loader=Texts)  # noqa: S506
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None


def read_flat(path: Path) -> dict[str, str]:
    """Return the values of a YAML file by dotted keys, without secrets.

    The result is empty if the file is missing, damaged, too large, or has references. If there are
    too many values, or very long keys, only the first values are returned.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.yaml").write_text("model: {depth: 4, norm: null}")
    ...     read_flat(Path(folder) / "a.yaml")
    {'model.depth': '4', 'model.norm': 'null'}
    """
    found: dict[str, str] = {}
    letters = 0
    for key, text in islice(flat(read_texts(path)), MOST_VALUES):
        letters += len(key) + len(text)
        if letters > LARGEST_FILE:
            break
        found[key] = masked_word(f"{key}={text}").removeprefix(f"{key}=")
    return found


def flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the single values inside a value, with their keys; a list of texts is one value."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for index, inner in enumerate(value):
            yield from flat(inner, f"{key}[{index}]")
    elif isinstance(value, list):
        yield key, f"[{', '.join(map(str, value))}]"
    elif key:
        yield key, "{}" if value == {} else str(value)
