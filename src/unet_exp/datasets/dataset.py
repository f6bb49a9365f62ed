"""The interface of a data set for training and evaluation."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from unet_exp.contracts import require_contract
from unet_exp.datasets.sample import Sample


@runtime_checkable
class Dataset(Protocol):
    """Images with labels, in three splits.

    The parameters of its constructor are options of ``dataset``. Options of other groups refer to
    two of them: ``in_channels`` (channels of an image) and ``num_classes`` (2 for instances). If it
    has a parameter ``normalization``, prediction scales new images in this way
    (`unet_exp.images.scaling`). Otherwise, new images are not scaled.
    """

    name: str
    """Name in records and messages."""
    in_channels: int
    """Number of channels of each image."""
    num_classes: int
    """Number of classes of the labels, including the background."""

    def split(self, name: str, /) -> Sequence[Sample]:
        """Return the samples of "train", "validation" or "test", the same at each call."""
        ...


def require_dataset(dataset: Any) -> None:
    """Refuse a data set without the members of `Dataset`, or with other samples.

    Its first training sample is read.

    Raises TypeError or ValueError with what is missing or wrong.
    """
    require_contract("dataset", dataset, Dataset)
    samples = dataset.split("train")
    if len(samples):
        require_sample(type(dataset).__name__, samples[0], dataset.in_channels)


def require_sample(owner: str, sample: Any, channels: int) -> None:
    """Refuse objects that are no sample, and samples whose arrays have wrong shapes or types.

    >>> require_sample("Cells", Sample("a", np.zeros((2, 4, 6), np.float32)), channels=1)
    Traceback (most recent call last):
    ValueError: dataset: Cells returns images of shape (2, 4, 6) and type float32. Return ...
    """
    if not isinstance(sample, Sample):
        raise TypeError(
            f"dataset: {owner} returns a {type(sample).__name__} as a sample. Return "
            f"{Sample.__module__}.Sample(name, image, labels)."
        )
    image, labels = sample.image, sample.labels
    if image.ndim != 3 or image.shape[0] != channels or image.dtype != np.float32:
        raise ValueError(
            f"dataset: {owner} returns images of shape {image.shape} and type {image.dtype}. "
            f"Return float32 of shape (in_channels, h, w), here ({channels}, h, w)."
        )
    for name, array in (("labels", labels), ("classes", sample.classes)):
        if array is not None and (array.shape != image.shape[1:] or array.dtype.kind not in "iu"):
            raise ValueError(
                f"dataset: {owner} returns {name} of shape {array.shape} and type {array.dtype} "
                f"for an image of {image.shape[1]} x {image.shape[2]} pixels. Return whole numbers "
                "of shape (h, w)."
            )
