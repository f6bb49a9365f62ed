"""Polygons that are given by a centre and the lengths of rays (StarDist, arXiv:1806.03535)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, pi, sin, tau

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from scipy.spatial import KDTree

from unet_exp.postprocessing.blocks import Block


def directions(rays: int) -> Float64[np.ndarray, "2 rays"]:
    """Return how far down and right each ray goes, at a length of 1.

    The first ray points to the right, and the next ones turn clockwise.

    >>> directions(4)
    array([[ 0.,  1.,  0., -1.],
           [ 1.,  0., -1.,  0.]])
    """
    angles = tau * np.arange(rays) / rays
    return np.stack([np.sin(angles), np.cos(angles)]).round(12) + 0.0


@dataclass(frozen=True, eq=False)
class Stars:
    """Star polygons, the best first.

    Attributes
    ----------
    centres
        Row and column of the centre of each polygon.
    scores
        The best first.
    lengths
        Of the rays of each polygon, in pixels.
    """

    centres: Int64[np.ndarray, "n 2"]
    scores: Float32[np.ndarray, " n"]
    lengths: Float32[np.ndarray, "n rays"]

    def __len__(self) -> int:
        return len(self.scores)

    def chosen(self, which: Int64[np.ndarray, " m"] | Bool[np.ndarray, " n"]) -> "Stars":
        """Return some of them."""
        return Stars(self.centres[which], self.scores[which], self.lengths[which])

    def sorted(self) -> "Stars":
        """Return them with the best first; of equals, the first in reading order."""
        return self.chosen(np.lexsort([*self.centres.T[::-1], -self.scores]))

    def mask(self, index: int) -> tuple[Block, Bool[np.ndarray, "h w"]]:
        """Return the pixels whose centres lie in a polygon, and the rectangle that holds them.

        >>> square = np.full((1, 4), 1.5, np.float32)  # its corners are right, down, left and up
        >>> star = Stars(np.array([[5, 5]]), np.ones(1, np.float32), square)
        >>> box, mask = star.mask(0)
        >>> box, mask.astype(int)[0]
        (Block(top=4, bottom=7, left=4, right=7), array([0, 1, 0]))
        """
        lengths = self.lengths[index]
        reach = int(lengths.max())
        sector, near_first, near_second = offsets(len(lengths), 2 ** ceil(np.log2(reach + 1)))
        middle = len(sector) // 2
        part = slice(middle - reach, middle + reach + 1), slice(middle - reach, middle + reach + 1)
        following = np.roll(lengths, -1)
        sector = sector[part]
        # A point is inside if it is nearer than the edge between both rays of its sector.
        weighted = lengths[sector] * near_second[part] + following[sector] * near_first[part]
        product = (lengths * following) * np.float32(sin(tau / len(lengths)) * (1 + 1e-5))
        row, column = self.centres[index].tolist()
        box = Block(row - reach, row + reach + 1, column - reach, column + reach + 1)
        return box, weighted <= product[sector]

    def without_overlaps(self, most: float) -> "Stars":
        """Remove polygons that share too much with a better one (non-maximum suppression).

        A polygon is removed if it shares more than the part ``most`` of the smaller of both with a
        better one that remains.
        """
        if not len(self):
            return self
        reach = self.lengths.max(1)
        tree = KDTree(self.centres)
        masks = {}
        alive = np.ones(len(self), bool)
        largest = float(reach.max())
        for index in range(len(self)):
            if not alive[index]:
                continue
            near = np.array(tree.query_ball_point(self.centres[index], reach[index] + largest))
            near = near[(near > index) & alive[near]]
            apart = np.linalg.norm(self.centres[near] - self.centres[index], axis=1)
            box, mask = masks.pop(index, None) or self.mask(index)
            area = int(mask.sum())
            for other in near[apart <= reach[near] + reach[index]].tolist():
                if other not in masks:
                    masks[other] = self.mask(other)
                smaller = min(area, int(masks[other][1].sum()))
                if shared(box, mask, *masks[other]) > most * smaller:
                    alive[other] = False
                    del masks[other]
        return self.chosen(alive)

    def parts_in(self, block: Block) -> Iterator[tuple[int, tuple[slice, slice], np.ndarray]]:
        """Yield the index, the place within a block and the pixels of polygons, the best last."""
        reach = self.lengths.max(1, initial=0)[:, None]
        low, high = self.centres - reach, self.centres + reach
        meets = (high >= (block.top, block.left)) & (low < (block.bottom, block.right))
        for index in np.flatnonzero(meets.all(1))[::-1].tolist():
            box, mask = self.mask(index)
            both = common(box, block)
            if both.pixels:
                yield index, both.within(block), mask[both.within(box)]


def joined(parts: Sequence[Stars]) -> Stars:
    """Return the polygons of all parts."""
    return Stars(
        np.concatenate([one.centres for one in parts]),
        np.concatenate([one.scores for one in parts]),
        np.concatenate([one.lengths for one in parts]),
    )


@lru_cache(maxsize=32)
def offsets(
    rays: int, reach: int
) -> tuple[
    Int64[np.ndarray, "side side"],
    Float32[np.ndarray, "side side"],
    Float32[np.ndarray, "side side"],
]:
    """For each pixel around a centre: its sector, and its distances to both rays of the sector.

    The distances are those from the pixel to the line through the first and the second ray.
    """
    place = np.arange(-reach, reach + 1)
    down, right = np.meshgrid(place, place, indexing="ij")
    angle = np.arctan2(down, right) % tau
    sector = np.minimum((angle * (rays / tau)).astype(np.int64), rays - 1)
    within = angle - sector * (tau / rays)
    distance = np.hypot(down, right)
    first = distance * np.sin(within.clip(0, pi))
    second = distance * np.sin((tau / rays - within).clip(0, pi))
    return sector, first.astype(np.float32), second.astype(np.float32)


def common(one: Block, other: Block) -> Block:
    """Return the rectangle that two share; it is empty if they share nothing.

    >>> common(Block(0, 4, 0, 4), Block(2, 9, 6, 9)).pixels
    0
    """
    top, left = max(one.top, other.top), max(one.left, other.left)
    bottom, right = min(one.bottom, other.bottom), min(one.right, other.right)
    return Block(top, max(bottom, top), left, max(right, left))


def shared(box: Block, mask: np.ndarray, other_box: Block, other: np.ndarray) -> int:
    """Return the number of pixels that two masks in rectangles share."""
    both = common(box, other_box)
    if not both.pixels:
        return 0
    return int(np.count_nonzero(mask[both.within(box)] & other[both.within(other_box)]))
