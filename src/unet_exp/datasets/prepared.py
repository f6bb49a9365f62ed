"""A data set whose images are changed before the network sees them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unet_exp.datasets.sample import Sample


class Prepared:
    """The samples of a data set, with changed images.

    Parameters
    ----------
    dataset
        See `unet_exp.datasets.dataset.Dataset`. All else is as there.
    prepare
        Called with an image (c, h, w); returns one of the same shape.

    >>> from unet_exp.datasets.synthetic import Synthetic
    >>> plain = Synthetic(size=32)
    >>> doubled = Prepared(plain, lambda image: 2 * image)
    >>> bool((doubled.split("test")[0].image == 2 * plain.split("test")[0].image).all())
    True
    """

    def __init__(self, dataset: Any, prepare: Callable[[Any], Any]) -> None:
        self.dataset, self.prepare = dataset, prepare

    def __getattr__(self, name: str) -> Any:
        if name == "dataset":  # a copy is asked for attributes before it has any
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def split(self, name: str) -> Sequence[Sample]:
        """Return the samples of "train", "validation" or "test"."""
        return [
            replace(sample, image=np.asarray(self.prepare(sample.image)[:, :, :], np.float32))
            for sample in self.dataset.split(name)
        ]
