"""A data set of our own: see `unet_exp.datasets.dataset.Dataset` for what it needs."""

from collections.abc import Sequence

import numpy as np

from unet_exp.datasets.sample import Sample
from unet_exp.images.scaling import Scaled

SPLITS = {"train": 0, "validation": 1, "test": 2}


class Discs:
    """Bright discs on a dark ground, made up anew for each split."""

    name = "discs"

    def __init__(
        self,
        count: int = 8,
        size: int = 64,
        normalization: str = "zscore",
        in_channels: int = 1,
        num_classes: int = 2,
    ) -> None:
        self.count, self.size, self.normalization = count, size, normalization
        self.in_channels, self.num_classes = in_channels, num_classes

    def split(self, name: str) -> Sequence[Sample]:
        """Return the samples of a split."""
        return [self.sample(name, number) for number in range(self.count)]

    def sample(self, split: str, number: int) -> Sample:
        """Draw an image and its labels."""
        rng = np.random.default_rng([SPLITS[split], number])
        rows, columns = np.mgrid[: self.size, : self.size]
        labels = np.zeros((self.size, self.size), np.int32)
        for label, (y, x) in enumerate(rng.integers(0, self.size, (6, 2)), start=1):
            labels[(rows - y) ** 2 + (columns - x) ** 2 < rng.integers(4, 9) ** 2] = label
        image = rng.normal(100 + 60 * (labels > 0), 10).astype(np.float32)
        scaled = Scaled(image[None].repeat(self.in_channels, 0), self.normalization)
        return Sample(f"{split}_{number}", scaled[:, :, :], labels)
