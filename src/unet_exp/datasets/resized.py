"""Resize samples, image and labels, to the size that the network sees."""

from dataclasses import replace

from unet_exp.datasets.sample import Sample
from unet_exp.images.resampling import nearest, resized, resized_length


def resized_sample(sample: Sample, scale: float) -> Sample:
    """Return a sample that is enlarged by a factor, with its labels, classes and markers.

    >>> import numpy as np
    >>> labels = np.array([[1, 0], [0, 2]], np.int32)
    >>> resized_sample(Sample("a", np.zeros((1, 2, 2), np.float32), labels), 1.5).labels
    array([[1, 0, 0],
           [0, 2, 2],
           [0, 2, 2]], dtype=int32)
    """
    height, width = (resized_length(length, scale) for length in sample.image.shape[-2:])
    return replace(
        sample,
        image=resized(sample.image, height, width)[:, :, :],
        labels=None if sample.labels is None else nearest(sample.labels, height, width),
        classes=None if sample.classes is None else nearest(sample.classes, height, width),
        markers=None if sample.markers is None else nearest(sample.markers, height, width),
    )
