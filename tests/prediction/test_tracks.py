import numpy as np
import pytest

from unet_exp.prediction.tracks import linked


@pytest.mark.parametrize(
    ("before", "now", "named", "free"),
    [
        ("aaaa.bb.", "11.....2", "xx.....y", "z"),  # half is not more than half
        ("aaaa.bb.", "111...22", "aaa...xx", "y"),  # half of b
        ("aaaa.bb.", "111..222", "aaa..bbb", "x"),
        ("aaabbb..", ".11111..", ".bbbbb..", "x"),  # merged: both go on there; the larger share
        ("aaaaa...", "11.22...", "xx.yy...", "z"),  # split: neither has more than half
        ("........", "1..2....", "x..y....", "z"),
        ("aaaa....", "........", "........", "x"),
    ],
)
def test_cells_continue_in_the_object_that_covers_most_of_them(
    before: str, now: str, named: str, free: str
) -> None:
    numbers = {".": 0, "a": 5, "b": 9, "x": 20, "y": 21, "z": 22}
    old = np.array([[numbers[letter] for letter in before]])
    new = np.array([[0 if letter == "." else int(letter) for letter in now]])
    found, following = linked(old, new, 20)
    assert found.tolist() == [[numbers[letter] for letter in named]]
    assert following == numbers[free]
