"""Numbers read from cells of text."""

import math

import pytest

from unet_exp.numbers import format_duration, format_score, parse_number


def test_numbers_may_be_text() -> None:
    assert parse_number("1e-3") == 0.001
    assert parse_number(True) == 1


@pytest.mark.parametrize("cell", [None, "", "x", [1], math.nan, "inf", "1_000"])
def test_other_cells_are_no_numbers(cell: object) -> None:
    assert parse_number(cell) is None


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_score_that_is_no_number_is_a_dash(value: float | None) -> None:
    assert format_score(value) == "-"


def test_a_duration_is_never_negative() -> None:
    assert format_duration(-3.0) == "0:00"
