"""Tables that spreadsheets may open, and that the project reads back."""

import csv
from pathlib import Path

import numpy as np
import pytest

from unet_exp.csv_tables import cell, plain, read_csv, to_csv

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
    # After blanks, and characters without a width, which spreadsheets drop
    " =1+1",
    "\u200b=1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    " \u2060 \xad+1",
    # In other forms
    "\ufe66 1+1",
    "\uff1d1+1",
    "\ufe6bSUM(1)",
    "\u22121+1",
]
#: Cells of a spreadsheet that separates by other signs than commas.
PARTS = ["a;@SUM(1);", "a\t=1+1", "a\n=1+1", "a\r\n+1", "a; \u3000-1+1", 'a;"=1+1"', "a\t\t'=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_is_no_formula(text: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(to_csv([{"name": text, text: "a", "seg": -0.5}]))
    with path.open(newline="") as file:
        head, row = csv.reader(file)
    assert [one[0] for one in (head[1], row[0])] == ["'", "'"]
    assert row[2] == "-0.5"
    if text.isprintable():
        assert read_csv(path) == [{"name": text, text: "a", "seg": "-0.5"}]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("text", PARTS)
def test_no_part_of_a_text_is_a_formula_with_another_separator(
    text: str, separator: str, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(to_csv([{"name": text, "b": "c"}]), newline="")
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file, delimiter=separator) for cell in row]
    lines = [line for cell in cells for line in cell.splitlines()]
    assert not [line for line in lines if line.strip(' \u3000"')[:1] in set("=+-@")]
    assert "'" in "".join(lines)
    if "\r" not in text:  # which becomes visible
        assert read_csv(path) == [{"name": text, "b": "c"}]


def test_texts_without_a_formula_stay() -> None:
    for text in ("a;b", "a\tb", "a\nb", "a=b; c-d", "'tis; 'twas", " a", "a - b", "; a"):
        assert cell(text) == plain(text) == text


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


def test_tables_have_no_secrets_and_no_control_characters() -> None:
    assert to_csv([{"error": "http://me:PW@host \x1b[31m\u202e"}]) == (
        "error\nhttp://me:***@host \\x1b[31m\\u202e\n"
    )
