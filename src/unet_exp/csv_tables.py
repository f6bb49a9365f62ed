"""Write and read CSV files such that a spreadsheet does not run text as a formula.

A spreadsheet computes a cell that begins with ``=``, ``+``, ``-`` or ``@``, possibly after blanks.
Such a text gets an apostrophe at its beginning, which marks text in spreadsheets. Reading removes
it. The same is done after a semicolon, a tab or a new line within a text, because some spreadsheets
treat these as separators of cells. Numbers do not change.
"""

import csv
import io
import os
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
    return lines([names, *rows])


def lines(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as lines of a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([cell(value) for value in row] for row in rows)
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


def append_row(path: Path, row: Mapping[str, Any]) -> bool:
    r"""Add a row to the end of a CSV file; return whether the file could take it.

    It cannot if it is missing or damaged, lacks a column, or ends within a line. Then nothing is
    written. A killed process or a full disk may leave a part of the line, which `read_csv` leaves
    out if the file ``grows``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "metrics.csv"
    ...     _ = path.write_text("step,seg,iou\n10,0.5,0.6\n")
    ...     append_row(path, {"iou": 0.7, "step": 20}), append_row(path, {"step": 30, "dice": 0.8})
    ...     print(path.read_text())
    (True, False)
    step,seg,iou
    10,0.5,0.6
    20,,0.7
    <BLANKLINE>
    """
    try:
        with path.open("rb+") as file:
            names = next(csv.reader([file.readline().decode("utf-8", errors="replace")]), [])
            values = {str(cell(name)): value for name, value in row.items()}
            if fits := bool(names) and values.keys() <= set(names):
                file.seek(-1, os.SEEK_END)
                fits = file.read(1) == b"\n"
            if fits:
                file.write(lines([[values.get(name) for name in names]]).encode())
    except (FileNotFoundError, csv.Error):
        return False
    except OSError as error:
        error.filename = str(path)  # a full disk does not name it
        raise
    return fits


def read_csv(path: Path, grows: bool = False) -> list[dict[str, str]]:
    """Return the rows of a CSV file of this project by column; missing cells are empty.

    If the file ``grows`` line by line, a last line without its end is left out, since the process
    that wrote it may have been killed within a number.

    Raises OSError or ValueError if the file cannot be read.
    """
    text = read_bytes(path).decode("utf-8", errors="replace")
    file = io.StringIO(text[: text.rfind("\n") + 1] if grows else text, newline="")
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
