import numpy as np
import pytest

from unet_exp.postprocessing.blocks import Block
from unet_exp.postprocessing.seams import Seams, meeting

CORNERS = [Block(0, 2, 0, 2), Block(0, 2, 2, 4), Block(2, 4, 0, 2), Block(2, 4, 2, 4)]


def roots(image: np.ndarray, connectivity: int) -> list[int]:
    """Of an image in four blocks."""
    seams = Seams(4, connectivity)
    for block in CORNERS:
        seams.add(block, image[block.place])
    return seams.roots(int(image.max())).tolist()


@pytest.mark.parametrize(
    ("drawing", "by_sides", "by_corners"),
    [
        (".... .1.. ..2. ....", [0, 1, 2], [0, 1, 1]),
        (".... ..1. .2.. ....", [0, 1, 2], [0, 1, 1]),
        (".... .12. .34. ....", [0, 1, 1, 1, 1], [0, 1, 1, 1, 1]),
        (".1.. ..2. .... ....", [0, 1, 2], [0, 1, 1]),
        (".... 1... .2.. ....", [0, 1, 2], [0, 1, 1]),
        ("1..2 1..2 3..4 3344", [0, 1, 1, 1, 1], [0, 1, 1, 1, 1]),  # a U through all of them
    ],
)
def test_parts_that_touch_are_joined(
    drawing: str, by_sides: list[int], by_corners: list[int], draw
) -> None:
    assert roots(draw(drawing), 1) == by_sides
    assert roots(draw(drawing), 2) == by_corners


def test_each_pair_is_listed_once() -> None:
    one, other = np.array([1, 1, 1, 0, 3]), np.array([2, 2, 2, 5, 0])
    assert meeting(one, other, 1).tolist() == [[1, 2]]
    assert meeting(one, other, 2).tolist() == [[1, 2], [1, 5], [3, 5]]
