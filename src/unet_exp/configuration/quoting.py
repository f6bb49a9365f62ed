"""Quote paths and names, which may contain any characters, so that Hydra reads them correctly."""

import os
import re

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import GrammarParseError

#: Characters that have a meaning in Hydra's overrides, and that a file name may contain.
SPECIAL = set("[]{}(),:='\" ")
#: Options that name one file or folder, even in a sweep.
SINGLE = {"output", "hydra.run.dir", "hydra.sweep.dir", "sweep.resume"}
#: Options that name files or folders. All their characters are part of the name.
PATHS = SINGLE | {"input", "checkpoint", "run", "ckpt_path", "init_from.path"}
#: Last parts of keys that name files or folders: dataset.root, callbacks.x.dirpath.
PATH_NAMES = {"data_dir", "root", "dirpath", "save_dir", "folder"}
#: The option with any text, and the one with a list of texts.
TEXT, TEXTS = "name", "tags"

#: A path in a home folder, or a list with one. Hydra can read neither.
HOME = re.compile(r"~|\[(.*,)?\s*~")
#: Part of a list: in quotes, or up to the next comma.
PART = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^,]*?)\s*(?:,|$)""")


def names_path(key: str) -> bool:
    """Tell whether an option names files or folders.

    >>> names_path("input"), names_path("dataset.root"), names_path("model.depth")
    (True, True, False)
    """
    return key in PATHS or key.rpartition(".")[2] in PATH_NAMES


def quoted(key: str, value: str, sweep: bool = False) -> str:
    r"""Return the value of an override in quotes, if it is text or names files.

    Text is the value of ``name``, and each value of ``tags``. Files are the values of options that
    name files (also in a list), and any value that exists as a path or begins with ``~``. In a
    sweep, commas separate several values, except in ``name`` and ``SINGLE``.

    >>> quoted("model.depth", "5"), quoted("metric", "[iou,dice]"), quoted("output", "2026_01_31")
    ('5', '[iou,dice]', '"2026_01_31"')
    >>> quoted("checkpoint", "[a.ckpt,b.ckpt]"), quoted("name", "it's, say, 1e3")
    ('["a.ckpt","b.ckpt"]', '"it\'s, say, 1e3"')

    Raises ValueError if a name has a reference (``${``) that is not closed.
    """
    if value in ("", "???") or (value[0] in "'\"" and is_readable(value)):
        return value
    if key == TEXT:
        require_references(f"{key}={value}")
        return in_quotes(value)
    listed = value.startswith("[") and value.endswith("]")
    if key == TEXTS:
        if is_readable(value):
            return value
        return f"[{quote_each(value[1:-1])}]" if listed else in_quotes(value)
    path = at_home(value)
    exists = os.path.exists(path)  # noqa: PTH110 - "\0" is no error
    if "${" in value and exists:
        return in_quotes(path.replace("${", r"\${"))
    if value == "null" or "${" in value:
        return in_quotes(path) if value.startswith("~") else value
    if exists and SPECIAL & set(value):
        return in_quotes(path)
    if not names_path(key) and not HOME.match(value):
        return value
    if listed:
        return f"[{quote_each(value[1:-1])}]"
    if sweep and "," in value and key not in SINGLE:
        return value if is_readable(value) else quote_each(value)
    return in_quotes(path)


def quote_each(parts: str) -> str:
    """Quote each of several texts that commas separate.

    >>> print(quote_each("it's,'b, c', ,d"))
    "it's",'b, c',"d"
    """
    found = [match[1] for match in PART.finditer(parts) if match[1]]
    return ",".join(
        part if part[0] in "'\"" and is_readable(part) else in_quotes(at_home(part))
        for part in found
    )


def in_quotes(value: str) -> str:
    r"""Return a text in quotes, such that Hydra reads the same text.

    >>> print(in_quotes('a b'), in_quotes(r'C:\a\b'), in_quotes('a"'))
    "a b" "C:\a\b" "a\""
    """
    return QuotedString(value, Quote.double).with_quotes()


def require_references(word: str) -> None:
    """Refuse a text in which a reference such as ``${seed}`` is not closed."""
    try:
        OmegaConf.create({"text": word})
    except GrammarParseError:
        raise ValueError(
            f"{word}: ${{ begins a reference to another value, such as ${{seed}}. Close its brace, "
            "or leave the dollar sign out."
        ) from None


def is_readable(value: str) -> bool:
    """Tell whether Hydra can read the value of an override."""
    try:
        OverridesParser.create().parse_override(f"a={value}")
    except HydraException:
        return False
    return True


def at_home(value: str) -> str:
    """Return a path with the home folder in place of ``~`` or ``~name``.

    >>> at_home("~/a") == os.environ["HOME"] + "/a", at_home("a~/b")
    (True, 'a~/b')
    """
    return os.path.expanduser(value)  # noqa: PTH111 - what ends with a slash keeps it
