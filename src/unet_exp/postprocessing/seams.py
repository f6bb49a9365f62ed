"""Join the parts of objects that touch across the borders of blocks.

Images are labelled block by block as in Rosenfeld 1966 (doi:10.1145/321356.321357).
"""

import numpy as np
from jaxtyping import Int64, Integer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from unet_exp.postprocessing.blocks import Block


class Seams:
    """Pairs of parts that touch between blocks; blocks are added in reading order.

    The memory is that for one row of the image and one column of a block.

    >>> seams = Seams(width=4, connectivity=1)
    >>> seams.add(Block(0, 1, 0, 2), np.array([[1, 2]]))
    >>> seams.add(Block(0, 1, 2, 4), np.array([[3, 0]]))
    >>> seams.roots(3)
    array([0, 1, 2, 2])
    """

    def __init__(self, width: int, connectivity: int) -> None:
        self.connectivity = connectivity
        # Rows have one more pixel at each end, so that every block has neighbours at its corners.
        self.above, self.row = np.zeros(width + 2, np.int64), np.zeros(width + 2, np.int64)
        self.column = np.zeros(0, np.int64)
        self.pairs = [np.zeros((0, 2), np.int64)]

    def add(self, block: Block, parts: Integer[np.ndarray, "h w"]) -> None:
        """Record which parts of a block touch those of the blocks above and on the left."""
        if block.left == 0:
            self.above, self.row = self.row, np.zeros_like(self.row)
        else:
            self.pairs.append(meeting(self.column, parts[:, 0], self.connectivity))
        above = self.above[block.left : block.right + 2]
        self.pairs.append(meeting(above, np.pad(parts[0], 1), self.connectivity))
        self.row[block.left + 1 : block.right + 1] = parts[-1]
        self.column = parts[:, -1].astype(np.int64)

    def roots(self, count: int) -> Int64[np.ndarray, " numbers"]:
        """Return for each part 0..count the lowest part that it is connected to."""
        root = np.arange(count + 1)
        pairs = np.concatenate(self.pairs)
        if len(pairs):
            parts, ends = np.unique(pairs, return_inverse=True)
            ends = ends.reshape(-1, 2).T
            graph = coo_array((np.ones(len(pairs), bool), ends), shape=(len(parts), len(parts)))
            _, group = connected_components(graph, directed=False)
            _, lowest = np.unique(group, return_index=True)
            root[parts] = parts[lowest[group]]
        return root


def meeting(
    one: Integer[np.ndarray, " n"], other: Integer[np.ndarray, " n"], connectivity: int
) -> Int64[np.ndarray, "pairs 2"]:
    """Return the pairs of parts that touch between two neighbouring lines of pixels.

    >>> meeting(np.array([1, 1, 0]), np.array([0, 0, 2]), connectivity=2)
    array([[1, 2]])
    """
    pairs = [np.stack([one, other])]
    if connectivity == 2:
        pairs += [np.stack([one[1:], other[:-1]]), np.stack([one[:-1], other[1:]])]
    both = np.concatenate(pairs, axis=1).astype(np.int64)
    return np.unique(both[:, both.all(0)], axis=1).T
