"""Tables that a spreadsheet may open, and that we read back."""

import csv
from pathlib import Path

import numpy as np
import pytest

from unet_exp.csv_tables import read_csv, to_csv

#: As OWASP lists how a formula begins.
FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "-a.tif",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_is_no_formula(text: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(to_csv([{"name": text, text: "a", "seg": -0.5}]))
    with path.open(newline="") as file:
        head, row = csv.reader(file)
    assert [cell[0] for cell in (head[1], row[0])] == ["'", "'"]
    assert row[2] == "-0.5"
    if text.isprintable():
        assert read_csv(path) == [{"name": text, text: "a", "seg": "-0.5"}]


def test_numbers_stay_numbers_however_they_are_given(tmp_path: Path) -> None:
    numbers = [-1, -1.5, 1e-9, -1e-9, "-3", "+1e5", "-.5", np.float32(-2), np.int64(-7), True]
    path = tmp_path / "table.csv"
    path.write_text(to_csv([{"a": number} for number in numbers]))
    with path.open(newline="") as file:
        cells = [row["a"] for row in csv.DictReader(file)]
    assert not [cell for cell in cells if cell.startswith("'")]
    assert [float(cell) for cell in cells[:-1]] == [float(number) for number in numbers[:-1]]


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = [{"a": "'tis", "b": "x,y"}, {"a": "'=1", "b": 'say "a"\nb'}, {"a": "''", "b": ""}]
    path = tmp_path / "table.csv"
    path.write_text(to_csv(rows), newline="")
    assert read_csv(path) == rows
    path.write_text("")
    assert read_csv(path) == []
    path.write_text("a,b\n1\n")
    assert read_csv(path) == [{"a": "1", "b": ""}]


def test_no_secret_and_nothing_that_acts_on_a_terminal() -> None:
    assert to_csv([{"error": "http://me:PW@host \x1b[31m\u202e"}]) == (
        "error\nhttp://me:***@host \\x1b[31m\\u202e\n"
    )
