"""Process whole objects of an image too large for memory, one window at a time.

A window contains whole objects, for operations that depend on all pixels of an object.
"""

import logging
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64

from unet_exp.connectivity import first_pixels
from unet_exp.postprocessing.blocks import Block, Canvas
from unet_exp.postprocessing.joining import Parts, in_reading_order

log = logging.getLogger(__name__)

LARGE = 4
"""Windows with more pixels than this number of blocks give a warning."""

#: The evidence in a window, or the channel of it that divides objects.
EvidenceOf = Callable[[Block], Float32[np.ndarray, "*c h w"]]
#: Function of evidence and mask that returns the objects in the mask.
Divide = Callable[
    [Float32[np.ndarray, "*c h w"], Bool[np.ndarray, "h w"]], Int32[np.ndarray, "h w"]
]


def divided(
    canvas: Canvas, parts: Parts, evidence_of: EvidenceOf, divide: Divide
) -> Int64[np.ndarray, " numbers"]:
    """Divide the objects on the canvas; return a number for each new value on it.

    The new objects are numbered from 1 in the reading order of their first pixels.
    """
    last, count, starts = len(parts.root) - 1, 0, [np.zeros(1, np.int64)]
    for window, members in windows(canvas, parts):
        held = canvas.held(window)
        mask = members[np.where(held <= last, held, 0)]
        labels = divide(evidence_of(window), mask)
        starts.append(canvas.places(window, first_pixels(labels)))
        # New values are above those of the parts. Where no object remains, the part's value stays,
        # and its number is 0.
        canvas.write(window, np.where(labels > 0, labels.astype(np.int64) + last + count, held))
        count += len(starts[-1])
    number = in_reading_order(np.concatenate(starts), np.arange(count + 1) > 0)
    return np.concatenate([np.zeros(last, np.int64), number])


def windows(canvas: Canvas, parts: Parts) -> Iterator[tuple[Block, Bool[np.ndarray, " numbers"]]]:
    """Yield a window for each block: it contains the objects that start there, and one more pixel.

    Each window comes with a mask of the parts that belong to these objects.
    """
    box = boxes(canvas, parts)
    block_of = canvas.block_of(parts.start)[parts.root]
    block_of[0] = -1
    largest = LARGE * canvas.side**2
    for index, _ in enumerate(canvas.visit()):
        members = block_of == index
        if not members.any():
            continue
        top, left = box[members, :2].min(0).tolist()
        bottom, right = box[members, 2:].max(0).tolist()
        window = Block(top, bottom, left, right).widened(1, canvas.height, canvas.width)
        if window.pixels > largest:
            largest = window.pixels
            log.warning(
                "An object is held whole in a window of %d x %d pixels. If memory is short, raise "
                "the threshold, so that it comes apart, or take postprocessing=components.",
                bottom - top,
                right - left,
            )
        yield window, members


def boxes(canvas: Canvas, parts: Parts) -> Int64[np.ndarray, "numbers 4"]:
    """Return top, left, bottom and right of each part; bottom and right are exclusive."""
    box = np.zeros((len(parts.root), 4), np.int64)
    box[:, :2] = canvas.height + canvas.width
    for block in canvas.visit():
        held = np.pad(canvas.held(block), ((0, 0), (1, 1)))
        before, after = held[:, :-1], held[:, 1:]
        rows, columns = np.nonzero((before != after) & (after > 0))  # where a part starts in a row
        part = after[rows, columns].astype(np.int64)
        np.minimum.at(box[:, 0], part, rows + block.top)
        np.minimum.at(box[:, 1], part, columns + block.left)
        rows, columns = np.nonzero((before != after) & (before > 0))  # the first pixel after it
        part = before[rows, columns].astype(np.int64)
        np.maximum.at(box[:, 2], part, rows + block.top + 1)
        np.maximum.at(box[:, 3], part, columns + block.left)
    return box
