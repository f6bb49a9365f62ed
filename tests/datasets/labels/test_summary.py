import numpy as np
import pytest

from unet_exp.datasets.labels.summary import LOOKED_AT, Seen


def drawn(*rows: str) -> np.ndarray:
    return np.array([[0 if c == "." else int(c) for c in row] for row in rows])


def test_numbers_and_their_pieces() -> None:
    seen = Seen.of("a.png", drawn("1.1.1", ".....", "22.33", "..2.."))
    assert (seen.values, seen.pieces) == ((1, 2, 3), (3, 1, 1))  # corners join
    assert seen.scattered  # two in three form a single piece, not four in five
    assert not seen.numbered
    five = Seen.of("a.png", drawn("1.1.2.3.4.5"))
    assert five.numbered
    assert not five.scattered
    two = Seen.of("a.png", drawn("1.2"))
    assert not two.numbered
    assert not two.scattered


def test_numbers_that_are_no_classes_may_lie_in_pieces_more_often() -> None:
    page = drawn("1.1.2")
    assert Seen.of("a.png", page).scattered
    assert not Seen.of("a.png", page * 16).scattered
    assert Seen.of("a.png", drawn("1.1.2.3.3") * 16).scattered


def test_crumbs_do_not_count_as_pieces() -> None:
    assert Seen.of("a.png", drawn("1" * 20 + ".1")).pieces == (1,)
    assert Seen.of("a.png", drawn("1" * 8 + ".1.1")).pieces == (2,)


def test_what_means_unknown_is_left_out() -> None:
    page = np.array([[-1, 7, 0, 7, 255, -(2**40)]])
    assert Seen.of("a.png", page).values == (7, 255)
    assert Seen.of("a.png", page, ignore=255).values == (7,)
    assert Seen.of("a.png", page).scattered  # 7 is, 255 does not count
    assert Seen.of("a.png", np.zeros((3, 3), np.uint8)).values == ()


@pytest.mark.parametrize("factor", [1, 2**28, 2**31 + 1, 2**50])
def test_any_numbers_are_looked_at_alike(factor: int) -> None:
    page = np.kron(np.arange(1024, dtype=np.uint64).reshape(32, 32), np.ones((4, 4), np.uint64))
    seen = Seen.of("a.tif", page * np.uint64(factor))
    assert seen.values == tuple(factor * n for n in range(1, 1024))
    assert seen.numbered
    assert len(seen.pieces) <= LOOKED_AT


def test_pieces_are_not_counted_where_nobody_asks() -> None:
    assert Seen.of("a.png", drawn("1.1"), look=False).pieces == ()
