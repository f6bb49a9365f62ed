"""Write and read CSV files such that a spreadsheet does not run text as a formula.

A spreadsheet computes a cell that begins with ``=``, ``+``, ``-`` or ``@``, possibly after blanks.
Such a text gets an apostrophe at its beginning, which marks text in spreadsheets. Reading removes
it. The same is done after a semicolon, a tab or a new line within a text, because some spreadsheets
treat these as separators of cells. Numbers do not change.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from unet_exp.files import read_bytes
from unet_exp.secrets.masking import masked_text
from unet_exp.shown import IN_LINES, visible

#: Signs at the beginning of a formula, including their forms in East Asian settings.
SIGN = (
    r"=+\-@\u207a\u207b\u207c\u208a\u208b\u208c\u2212\ufb29\ufe62\ufe63\ufe66\ufe6b"
    r"\uff0b\uff0d\uff1d\uff20"
)
#: Characters that a spreadsheet may drop before a formula: blanks, zero-width characters, quotes.
DROPPED = (
    r"(?:[^\S\t\r\n]|[\xad\u034f\u0600-\u0605\u061c\u06dd\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff'\"])*+"
)
#: Positions at which a formula begins, and those of an apostrophe before a formula.
FORMULA = re.compile(rf"(?:\A(?={DROPPED}[{SIGN}\t\r\n])|(?<=[;\t\r\n])(?={DROPPED}[{SIGN}]))")
GUARD = re.compile(rf"(?:\A'(?={DROPPED}[{SIGN}\t\r\n])|(?<=[;\t\r\n])'(?={DROPPED}[{SIGN}]))")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as the text of a CSV file, with a column for each name in any row.

    >>> print(to_csv([{"name": "=1+1", "seg": -0.5}, {"name": "b", "iou": 1}]))
    name,seg,iou
    '=1+1,-0.5,
    b,,1
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    return written(names, [[row.get(name) for name in names] for row in rows])


def written(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows, each in the order of the columns, as the text of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([cell(value) for value in row] for row in [names, *rows])
    return text.getvalue()


def cell(value: Any) -> Any:
    r"""Return the content of a cell: numbers unchanged, texts protected against computation.

    >>> cell(-1.5), cell("-1e-3"), cell("-a"), cell("@x"), cell("'=1"), cell("a=b"), cell("\x1b[m")
    (-1.5, '-1e-3', "'-a", "'@x", "''=1", 'a=b', '\\x1b[m')
    """
    if value is None or isinstance(value, int | float):
        return value
    text = masked_text(str(value))
    # This comes before invisible characters become visible, because spreadsheets may drop these.
    guarded = text if NUMBER.fullmatch(text) else FORMULA.sub("'", text)
    return IN_LINES.sub(visible, guarded)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file of this project by column; missing cells are empty.

    Raises OSError or ValueError if the file cannot be read.
    """
    file = io.StringIO(read_bytes(path).decode("utf-8", errors="replace"), newline="")
    try:
        names, *rows = [list(map(plain, row)) for row in csv.reader(file) if row] or [[]]
    except csv.Error as error:
        raise ValueError(f"{path} cannot be read as CSV ({error}).") from error
    return [dict(zip(names, [*row, *[""] * len(names)], strict=False)) for row in rows]


def plain(text: str) -> str:
    """Return the text of a cell without the protecting apostrophes.

    >>> [plain(cell(text)) for text in ("=1", "'=1", "-5", "'tis", "a; =1")]
    ['=1', "'=1", '-5', "'tis", 'a; =1']
    """
    return GUARD.sub("", text)
