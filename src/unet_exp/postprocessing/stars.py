"""Objects as star polygons, the best ones that hardly overlap (StarDist, arXiv:1806.03535)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, Int32
from torch import Tensor

from unet_exp.arrays import SlicedArray, WritableArray
from unet_exp.connectivity import first_pixels
from unet_exp.postprocessing.blocks import Block, Canvas, Progress
from unet_exp.postprocessing.grids import OVERLAPS, THRESHOLDS, lengths_and_sizes
from unet_exp.postprocessing.joining import in_reading_order, write_numbers
from unet_exp.postprocessing.star_polygons import Stars, joined
from unet_exp.ranges import Range, require_range, require_ranges

#: No ray is longer, in pixels. Networks see less far.
LONGEST = 1000


@dataclass(frozen=True)
class BestStars:
    """Draw the polygons with the best scores; drop those that overlap a better one.

    Each pixel has a polygon. Only pixels whose score is the largest of the 3 x 3 pixels around are
    considered; the article considers all. Where two objects overlap, the better one is drawn on
    top.

    Parameters
    ----------
    threshold
        The score of each object exceeds this.
    overlap
        A polygon is dropped if it shares more than this part of the smaller one with a better
        polygon.
    min_size
        Objects of fewer pixels are removed.
    score
        The channel of the score. The distances along the rays follow it.
    fit
        Whether a training fits the other parameters to its validation images at its end.

    >>> evidence = torch.zeros(7, 5, 9)
    >>> evidence[2:, 2, 2] = torch.tensor([0.9, 2, 2, 2, 2])
    >>> BestStars()(evidence)[2]
    tensor([1, 1, 1, 1, 1, 0, 0, 0, 0], dtype=torch.int32)
    """

    RANGES: ClassVar[dict[str, Range]] = {
        "threshold": Range(0, 1),
        "overlap": Range(0, 1),
        "min_size": Range(0, usual=1000),
    }

    threshold: float = 0.5
    overlap: float = 0.4
    min_size: int = 0
    score: int = 2
    fit: bool = True

    def __post_init__(self) -> None:
        require_ranges(self.RANGES, self)
        require_range(1, score=self.score)

    def __call__(self, probabilities: Float[Tensor, "c h w"]) -> Int32[Tensor, "h w"]:
        """Give the objects of an image numbers from 1, in the reading order of their pixels."""
        return self.finish(self.prepare(probabilities))

    @property
    def preparation(self) -> tuple[Any, ...]:
        """The parameters on which `prepare` depends; it takes most of the time."""
        return self.threshold, self.overlap, self.score

    def prepare(self, probabilities: Float[Tensor, "c h w"]) -> Int32[np.ndarray, "h w"]:
        """Return the best polygons of an image, drawn and numbered from 1."""
        evidence = probabilities.detach().cpu().float().numpy()
        whole = Block(0, evidence.shape[1], 0, evidence.shape[2])
        stars = self.candidates(evidence, whole, whole).sorted().without_overlaps(self.overlap)
        return drawn(stars, whole)

    def finish(self, labels: Int32[np.ndarray, "h w"]) -> Int32[Tensor, "h w"]:
        """Remove small objects, and number the others in reading order."""
        start = np.concatenate([[0], first_pixels(labels)])
        size = np.bincount(labels.ravel(), minlength=len(start))
        number = self.numbers(start, size)
        return torch.from_numpy(number.astype(np.int32)[labels])

    def numbers(self, start: Any, size: Any) -> Any:
        """Return the number of each polygon, given its first pixel and its pixels."""
        keep = size >= max(self.min_size, 1)
        keep[0] = False
        return in_reading_order(start, keep)

    def candidates(self, evidence: np.ndarray, window: Block, block: Block) -> Stars:
        """Return the polygons of a block, given the evidence in a window around it.

        Raises ValueError if the evidence has no rays.
        """
        if len(evidence) < self.score + 4:
            raise ValueError(
                f"postprocessing=stars draws polygons from the score in channel {self.score} and "
                f"the rays in those after it, and the evidence has the channels 0 to "
                f"{len(evidence) - 1}. Train with target=stars, or choose "
                f"postprocessing=watershed."
            )
        score = evidence[self.score]
        peak = (cv2.dilate(score, np.ones((3, 3), np.uint8)) == score) & (score > self.threshold)
        inner = block.within(window)
        rows, columns = np.nonzero(peak[inner])
        place = rows + inner[0].start, columns + inner[1].start
        lengths = evidence[self.score + 1 :, *place].T.clip(0, LONGEST)
        centres = np.stack([rows + block.top, columns + block.left], 1)
        return Stars(centres, score[place], np.ascontiguousarray(lengths))

    def in_blocks(
        self,
        probabilities: SlicedArray,
        out: WritableArray,
        block: int = 2048,
        progress: Progress | None = None,
    ) -> int:
        """Write the same labels for an image larger than memory; return how many objects it has.

        Arrays as for ``Components.in_blocks``. Memory holds a block of all channels, and the
        polygons that are considered with what is drawn of them.
        """
        canvas = Canvas(probabilities, out, block, 3, progress)
        found = []
        for one in canvas.visit():
            window = one.widened(1, canvas.height, canvas.width)
            found.append(self.candidates(canvas.read(window).numpy(), window, one))
        stars = joined(found).sorted().without_overlaps(self.overlap)
        size = np.zeros(len(stars) + 1, np.int64)
        start = np.full(len(stars) + 1, canvas.height * canvas.width)
        for one in canvas.visit():
            labels = drawn(stars, one)
            present, first, count = np.unique(labels, return_index=True, return_counts=True)
            size[present] += count
            start[present] = np.minimum(start[present], canvas.places(one, first))
            canvas.write(one, labels)
        return write_numbers(canvas, self.numbers(start, size))

    def magnified(self, factor: float) -> "BestStars":
        """Return the same postprocessing for images in which objects are ``factor`` times as wide.

        >>> BestStars(min_size=10).magnified(3).min_size
        90
        """
        return replace(self, min_size=round(self.min_size * factor**2))

    def grid(self, labels: Sequence[Int[Tensor, "_ _"]]) -> dict[str, list[Any]]:
        """Offer values to try for each parameter that can be fitted to true labels."""
        sizes = {k: v for k, v in lengths_and_sizes(labels).items() if k == "min_size"}
        return {"threshold": THRESHOLDS, "overlap": OVERLAPS, **sizes}


def drawn(stars: Stars, block: Block) -> Int32[np.ndarray, "h w"]:
    """Return a block with each polygon's number from 1, the best on top."""
    labels = np.zeros((block.bottom - block.top, block.right - block.left), np.int32)
    for index, place, mask in stars.parts_in(block):
        labels[place][mask] = index + 1
    return labels
