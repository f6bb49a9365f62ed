"""Masks and objects of an image too large for memory, equal to those of the whole image.

Each block is labelled separately. Its parts are then joined with touching parts in the neighbouring
blocks. The memory is that for a block, and a few numbers for each part.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, Int64

from unet_exp.connectivity import edge_labels, first_pixels, label_components
from unet_exp.postprocessing.blocks import Block, Canvas
from unet_exp.postprocessing.objects import without_gaps
from unet_exp.postprocessing.seams import Seams

#: The foreground of a block.
MaskOf = Callable[[Block], Bool[np.ndarray, "h w"]]


@dataclass(frozen=True)
class Parts:
    """Objects that are divided into parts, one for each block, numbered from 1 in order of blocks.

    Parameters
    ----------
    root
        For each part, the first part of its object.
    start
        Position of each part's first pixel, counted through the image in reading order.
    size
        Number of pixels of each part.
    """

    root: Int64[np.ndarray, " numbers"]
    start: Int64[np.ndarray, " numbers"]
    size: Int64[np.ndarray, " numbers"]

    def numbers(self, min_size: int) -> Int64[np.ndarray, " numbers"]:
        """Return the object number of each part, in reading order; 0 if the object is too small."""
        start, size = self.start.copy(), np.zeros_like(self.size)
        np.minimum.at(start, self.root, self.start)
        np.add.at(size, self.root, self.size)
        keep = (self.root == np.arange(len(self.root))) & (size >= max(min_size, 1))
        return in_reading_order(start, keep)[self.root]


def in_reading_order(
    start: Int64[np.ndarray, " n"], keep: Bool[np.ndarray, " n"]
) -> Int64[np.ndarray, " n"]:
    """Return numbers from 1 for the entries to keep, by their first pixels; 0 for the others.

    >>> in_reading_order(np.array([0, 9, 4, 7]), np.array([False, True, True, True]))
    array([0, 3, 1, 2])
    """
    kept = np.flatnonzero(keep)
    number = np.zeros(len(start), np.int64)
    number[kept[np.argsort(start[kept])]] = np.arange(1, len(kept) + 1)
    return number


def parts_of_foreground(
    canvas: Canvas, threshold: float, fill_holes: bool, connectivity: int, min_size: int
) -> Parts:
    """Write the number of its part to the canvas, for each pixel of the foreground.

    Visits each block once, and another time to fill holes.
    """

    def mask(block: Block) -> Bool[np.ndarray, "h w"]:
        return canvas.foreground(block) > threshold

    filled = mask_without_holes(canvas, mask, connectivity) if fill_holes else mask
    return parts_of(canvas, filled, connectivity, min_size)


def mask_without_holes(canvas: Canvas, mask_of: MaskOf, connectivity: int) -> MaskOf:
    """Fill the holes of a mask, also those that extend over several blocks.

    The parts of the background that reach the border of their block are written to the canvas, and
    the returned function reads them from there. The other parts are holes in any case.
    """
    seams, count, at_edge = Seams(canvas.width, 3 - connectivity), 0, [np.zeros(1, np.int64)]
    for block in canvas.visit():
        around = label_components(~mask_of(block), 3 - connectivity)
        rim = rim_of(around)
        number = np.zeros(around.max() + 1, np.int64)
        number[rim] = np.arange(count + 1, count + 1 + len(rim))
        parts = number[around]
        count += len(rim)
        at_edge += [np.unique(line) for line in canvas.edges(block, parts)]
        seams.add(block, parts)
        canvas.write(block, parts)
    root = seams.roots(count)
    outside = np.zeros(count + 1, bool)
    outside[root[np.concatenate(at_edge)]] = True
    outside[0] = False
    outside = outside[root]
    return lambda block: ~outside[canvas.held(block)]


def rim_of(labels: Int32[np.ndarray, "h w"]) -> Int32[np.ndarray, " objects"]:
    """List the objects that reach the border of a block."""
    rim = np.unique(edge_labels(labels))
    return rim[rim > 0]


def parts_of(canvas: Canvas, mask_of: MaskOf, connectivity: int, min_size: int = 0) -> Parts:
    """Write the number of its part to the canvas, for each pixel of a mask.

    Objects that certainly have fewer than ``min_size`` pixels may already be left out.
    """
    seams, count = Seams(canvas.width, connectivity), 0
    starts, sizes = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
    for block in canvas.visit():
        parts = label_components(mask_of(block), connectivity)
        size = np.bincount(parts.ravel())
        keep = size >= min_size
        keep[rim_of(parts)] = True
        keep[0] = False
        number = np.where(keep, count + np.cumsum(keep), 0)
        starts.append(canvas.places(block, first_pixels(parts)[keep[1:]]))
        sizes.append(size[keep])
        count += int(keep.sum())
        parts = number[parts]
        seams.add(block, parts)
        canvas.write(block, parts)
    return Parts(seams.roots(count), np.concatenate(starts), np.concatenate(sizes))


def write_numbers(canvas: Canvas, number: Int64[np.ndarray, " numbers"], grow: int = 0) -> int:
    """Replace the values on the canvas by their numbers, and grow objects as ``without_gaps`` does.

    Returns the number of objects.
    """
    objects, grown_from = int(number.max()), len(number)
    number = np.concatenate([number, np.zeros(objects if grow else 0, number.dtype)])
    for block in canvas.visit() if grow else ():
        window = block.widened(2 * grow, canvas.height, canvas.width)
        # Pixels that other blocks have grown have values above the parts. They count as 0 here.
        labels = number[canvas.held(window)].astype(np.int32)
        grown = np.where(labels > 0, 0, without_gaps(labels, grow))[block.within(window)]
        held = canvas.held(block)
        canvas.write(block, np.where(grown > 0, grown_from - 1 + grown, held))
    number[grown_from:] = np.arange(1, len(number) - grown_from + 1)
    for block in canvas.visit():
        canvas.write(block, number[canvas.held(block)])
    return objects
