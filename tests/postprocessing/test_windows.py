import logging

import numpy as np
import pytest

from unet_exp.postprocessing.blocks import Block, Canvas
from unet_exp.postprocessing.joining import Parts, parts_of
from unet_exp.postprocessing.watershed import Watershed
from unet_exp.postprocessing.windows import boxes, windows


def joined(mask: np.ndarray, side: int) -> tuple[Canvas, Parts]:
    canvas = Canvas(np.stack([~mask, mask]), np.zeros(mask.shape, np.int32), side)
    return canvas, parts_of(canvas, lambda block: mask[block.place], connectivity=1)


def test_windows_hold_whole_objects_and_a_pixel_around(draw) -> None:
    mask = draw("........ .11.2... .1..2... .11..... ........ ......33") > 0
    found = [(window, parts[1:].tolist()) for window, parts in windows(*joined(mask, 3))]
    # In blocks of 3 x 3 object 1 lies in the first and the one below, and the others in one each.
    assert found == [
        (Block(0, 5, 0, 4), [True, False, True, False]),
        (Block(0, 4, 3, 6), [False, True, False, False]),
        (Block(4, 6, 5, 8), [False, False, False, True]),
    ]


def test_boxes_of_parts(draw) -> None:
    # Part 2 lies in the same rows as part 1 of the block before: runs end where others start.
    assert boxes(*joined(draw(".11. 1111 ..1.") > 0, 2))[1:].tolist() == [
        [0, 0, 2, 2],
        [0, 2, 2, 4],
        [2, 2, 3, 3],
    ]


@pytest.mark.parametrize(("length", "warnings"), [(8, 0), (17, 1)])
def test_an_object_much_larger_than_a_block_is_warned_of(
    length: int, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    mask = np.zeros((3, 20))
    mask[1, :length] = 1
    with caplog.at_level(logging.WARNING):
        Watershed().in_blocks(np.stack([1 - mask, mask]), np.zeros((3, 20), np.int32), block=3)
    assert len(caplog.records) == warnings
    assert all("1 x 17 pixels" in record.message for record in caplog.records)
