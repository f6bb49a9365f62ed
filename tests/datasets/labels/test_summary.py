import numpy as np
import pytest

from unet_exp.datasets.labels.summary import MOST_COUNTED, LabelSummary


def drawn(*rows: str) -> np.ndarray:
    return np.array([[0 if c == "." else int(c) for c in row] for row in rows])


def test_numbers_and_their_pieces() -> None:
    seen = LabelSummary.of("a.png", drawn("1.1.1", ".....", "22.33", "..2.."))
    assert (seen.values, seen.pieces) == ((1, 2, 3), (3, 1, 1))  # corners join
    assert seen.is_scattered  # two in three form a single piece, not four in five
    assert not seen.numbers_objects
    five = LabelSummary.of("a.png", drawn("1.1.2.3.4.5"))
    assert five.numbers_objects
    assert not five.is_scattered
    two = LabelSummary.of("a.png", drawn("1.2"))
    assert not two.numbers_objects
    assert not two.is_scattered


def test_numbers_that_are_no_classes_may_lie_in_pieces_more_often() -> None:
    page = drawn("1.1.2")
    assert LabelSummary.of("a.png", page).is_scattered
    assert not LabelSummary.of("a.png", page * 16).is_scattered
    assert LabelSummary.of("a.png", drawn("1.1.2.3.3") * 16).is_scattered


def test_crumbs_do_not_count_as_pieces() -> None:
    assert LabelSummary.of("a.png", drawn("1" * 20 + ".1")).pieces == (1,)
    assert LabelSummary.of("a.png", drawn("1" * 8 + ".1.1")).pieces == (2,)


def test_unknown_values_are_left_out() -> None:
    page = np.array([[-1, 7, 0, 7, 255, -(2**40)]])
    assert LabelSummary.of("a.png", page).values == (7, 255)
    assert LabelSummary.of("a.png", page, ignore=255).values == (7,)
    assert LabelSummary.of("a.png", page).is_scattered  # 7 is, 255 does not count
    assert LabelSummary.of("a.png", np.zeros((3, 3), np.uint8)).values == ()


@pytest.mark.parametrize("factor", [1, 2**28, 2**31 + 1, 2**50])
def test_any_numbers_are_looked_at_alike(factor: int) -> None:
    page = np.kron(np.arange(1024, dtype=np.uint64).reshape(32, 32), np.ones((4, 4), np.uint64))
    seen = LabelSummary.of("a.tif", page * np.uint64(factor))
    assert seen.values == tuple(factor * n for n in range(1, 1024))
    assert seen.numbers_objects
    assert len(seen.pieces) <= MOST_COUNTED


def test_pieces_are_counted_only_if_requested() -> None:
    assert LabelSummary.of("a.png", drawn("1.1"), count_pieces=False).pieces == ()
