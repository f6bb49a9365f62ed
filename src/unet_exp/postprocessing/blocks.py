"""Images too large for memory, read and written block by block."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int32, Int64, Integer
from torch import Tensor

from unet_exp.arrays import SlicedArray, WritableArray

#: Function that is called with the number of blocks done, and of all blocks.
Progress = Callable[[int, int], object]


class Block(NamedTuple):
    """A rectangle of pixels; bottom and right are exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def place(self) -> tuple[slice, slice]:
        """Its slices in the image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return (self.bottom - self.top) * (self.right - self.left)

    def widened(self, halo: int, height: int, width: int) -> "Block":
        """Return the block with a margin of ``halo`` pixels, cropped to the image.

        >>> Block(0, 4, 4, 8).widened(2, height=10, width=9)
        Block(top=0, bottom=6, left=2, right=9)
        """
        return Block(
            max(self.top - halo, 0),
            min(self.bottom + halo, height),
            max(self.left - halo, 0),
            min(self.right + halo, width),
        )

    def within(self, other: "Block") -> tuple[slice, slice]:
        """Return its slices relative to a block that contains it."""
        return (
            slice(self.top - other.top, self.bottom - other.top),
            slice(self.left - other.left, self.right - other.left),
        )


class Canvas:
    """The probabilities and the labels of an image, visited block by block, several times.

    Parameters
    ----------
    probabilities
        (c, h, w), read by slices ``[:, y0:y1, x0:x1]``.
    labels
        (h, w) of 32 or 64 bit, written and read back by slices ``[y0:y1, x0:x1]``. The previous
        content does not matter.
    side
        Side of a block in pixels.
    visits
        Number of visits of each block, for ``progress``.

    Raises ValueError if ``side`` is not positive, or the labels have another size or too few bits.
    """

    def __init__(
        self,
        probabilities: SlicedArray,
        labels: WritableArray,
        side: int,
        visits: int = 1,
        progress: Progress | None = None,
    ) -> None:
        if side < 1:
            raise ValueError(f"block={side} holds no pixel. Choose 1 or more; 2048 is a good size.")
        shape = tuple(probabilities.shape)
        if tuple(labels.shape) != shape[1:]:
            raise ValueError(
                f"The labels are of shape {labels.shape} and the probabilities of {shape}. Give "
                f"labels of shape {shape[1:]}."
            )
        if np.dtype(labels.dtype).kind not in "iu" or np.dtype(labels.dtype).itemsize < 4:
            raise ValueError(
                f"Labels of type {labels.dtype} cannot count the parts of a large image. Give "
                f"uint32 or int32."
            )
        self.probabilities, self.labels, self.side = probabilities, labels, side
        self.height, self.width = shape[1:]
        self.blocks = [
            Block(y, min(y + side, self.height), x, min(x + side, self.width))
            for y in range(0, self.height, side)
            for x in range(0, self.width, side)
        ]
        self.visits, self.progress, self.done = visits, progress, 0

    def visit(self) -> Iterator[Block]:
        """Yield all blocks in reading order."""
        for block in self.blocks:
            yield block
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.visits * len(self.blocks))

    def places(
        self, block: Block, inside: Int64[np.ndarray, " pixels"]
    ) -> Int64[np.ndarray, " pixels"]:
        """Convert flat indices in a block to flat indices in the image."""
        rows, columns = np.divmod(inside, block.right - block.left)
        return (block.top + rows) * self.width + block.left + columns

    def block_of(self, places: Int64[np.ndarray, " pixels"]) -> Int64[np.ndarray, " pixels"]:
        """Return the index of the block of each pixel, given by its flat index."""
        rows, columns = np.divmod(places, self.width)
        return rows // self.side * -(-self.width // self.side) + columns // self.side

    def edges(
        self, block: Block, labels: Integer[np.ndarray, "h w"]
    ) -> Iterator[Integer[np.ndarray, " pixels"]]:
        """Yield the rows and columns of a block's labels at the edges of the image."""
        if block.top == 0:
            yield labels[0]
        if block.bottom == self.height:
            yield labels[-1]
        if block.left == 0:
            yield labels[:, 0]
        if block.right == self.width:
            yield labels[:, -1]

    def read(self, block: Block) -> Float32[Tensor, "c h w"]:
        """Return the probabilities of a block."""
        rows, columns = block.place
        return torch.from_numpy(np.array(self.probabilities[:, rows, columns], np.float32))

    def foreground(self, block: Block) -> Float32[np.ndarray, "h w"]:
        """Return the probability of all but the first class in a block."""
        rows, columns = block.place
        return 1 - np.asarray(self.probabilities[:, rows, columns])[0].astype(np.float32)

    def held(self, block: Block) -> Integer[np.ndarray, "h w"]:
        """Return the labels written in a block."""
        return np.asarray(self.labels[block.place])

    def write(self, block: Block, labels: Integer[np.ndarray, "h w"]) -> None:
        """Write the labels of a block."""
        self.labels[block.place] = labels.astype(self.labels.dtype)

    def each(self, segment: Callable[[Tensor], Int32[Tensor, "h w"]]) -> int:
        """Segment each block separately and write its labels; return the highest label."""
        highest = 0
        for block in self.visit():
            labels = segment(self.read(block)).numpy()
            self.write(block, labels)
            highest = max(highest, int(labels.max(initial=0)))
        return highest
