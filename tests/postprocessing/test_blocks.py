import numpy as np
import pytest

from unet_exp.postprocessing.blocks import Block, Canvas
from unet_exp.postprocessing.none import ClassMap


def canvas(height: int, width: int, side: int) -> Canvas:
    return Canvas(np.zeros((2, height, width)), np.zeros((height, width), np.int32), side)


@pytest.mark.parametrize("side", [1, 2, 3, 5, 7, 100])
def test_blocks_cover_each_pixel_once(side: int) -> None:
    grid = canvas(5, 7, side)
    seen = np.zeros((5, 7), int)
    for block in grid.visit():
        seen[block.place] += 1
        assert seen[block.place].size == block.pixels
    assert (seen == 1).all()


def test_places_in_a_block_are_places_in_the_image() -> None:
    grid = canvas(4, 6, 3)
    image = np.arange(24).reshape(4, 6)
    assert grid.blocks == [(0, 3, 0, 3), (0, 3, 3, 6), (3, 4, 0, 3), (3, 4, 3, 6)]
    for number, block in enumerate(grid.blocks):
        expected = image[block.place].ravel()
        assert (grid.places(block, np.arange(block.pixels)) == expected).all()
        assert (grid.block_of(expected) == number).all()


def test_a_block_is_found_within_its_window() -> None:
    image = np.arange(60).reshape(6, 10)
    block = Block(2, 4, 8, 10)
    window = block.widened(2, 6, 10)
    assert window == (0, 6, 6, 10)
    assert (image[window.place][block.within(window)] == image[block.place]).all()


def test_progress_counts_blocks() -> None:
    seen = []
    probabilities, out = np.ones((2, 4, 6)), np.empty((4, 6), np.int32)
    ClassMap().in_blocks(
        probabilities, out, block=3, progress=lambda done, of: seen.append((done, of))
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("out", "block", "told"),
    [
        (np.zeros((4, 4), np.int32), 0, "block=0 holds no pixel"),
        (np.zeros((4, 5), np.int32), 2, r"Give labels of shape \(4, 4\)"),
        (np.zeros((4, 4), np.uint16), 2, "Labels of type uint16 cannot count"),
        (np.zeros((4, 4), np.float32), 2, "Labels of type float32 cannot count"),
    ],
)
def test_labels_that_cannot_hold_the_result_are_refused(out, block: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ClassMap().in_blocks(np.zeros((2, 4, 4)), out, block)
