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


def read_flat(path: Path) -> dict[str, str]:
    """Return the values of a YAML file by dotted keys, without secrets.

    The result is empty if the file is missing, damaged or too large. If there are too many values,
    only the first ones are returned.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.yaml").write_text("model: {depth: 4, norm: null}")
    ...     read_flat(Path(folder) / "a.yaml")
    {'model.depth': '4', 'model.norm': 'null'}
    """
    try:
        # BaseLoader builds texts only.
        text = read_bytes(path, LARGEST_FILE).decode("utf-8")
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
        found = dict(islice(flat(content), MOST_VALUES))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return {
        key: masked_word(f"{key}={text}").removeprefix(f"{key}=") for key, text in found.items()
    }


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
