"""Samples with the target of the loss and the weight of each pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int16, UInt8
from torch.utils.data import Dataset

from unet_exp.datasets.cache import cached_array, content_key
from unet_exp.datasets.sample import Sample
from unet_exp.targets.target import Encoded, Target, target_tensor
from unet_exp.weight_maps.class_weights import UNKNOWN

#: Raise this when the algorithm of a weight map changes, so that cached maps are computed again.
VERSION = 2


@dataclass(frozen=True, eq=False)
class Supervised:
    """A sample with its target, its classes (255: unknown) and the weight of each pixel."""

    sample: Sample
    target: Int16[np.ndarray, "h w"] | Float32[np.ndarray, "*c h w"]
    classes: UInt8[np.ndarray, "h w"]
    weights: Float32[np.ndarray, "h w"]


class Supervision:
    """Adds target and weights to samples; weight maps are cached in ``folder``."""

    def __init__(self, target: Target, weight_map: Any, folder: Path) -> None:
        self.target, self.weight_map, self.folder = target, weight_map, folder

    def __call__(self, sample: Sample) -> Supervised:
        """Return a labelled sample with target and weights."""
        encoded = self.encode(sample)
        labels, classes = encoded.labels, encoded.classes
        # The key includes the target through the labels and classes that the target has encoded.
        key = content_key(VERSION, repr(self.weight_map), labels, classes)
        # Large maps stay on disk, as large images do.
        large = sample.image.nbytes > 2**28
        weights = cached_array(self.folder, key, lambda: self.weight_map(labels, classes), large)
        return Supervised(sample, encoded.target, classes, weights)

    def encode(self, sample: Sample) -> Encoded:
        """Return what the target makes of a labelled sample."""
        if sample.labels is None:
            raise ValueError(f"{sample.name} has no labels.")
        return self.target.encode(sample.labels, sample.classes)


class LabelledImages(Dataset[dict[str, Any]]):
    """Whole images with the data for scores and pictures, then empty batches up to ``count``."""

    def __init__(self, images: list[Supervised], count: int) -> None:
        self.images, self.count = images, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        if index >= len(self.images):
            return {}
        chosen = self.images[index]
        sample, classes = chosen.sample, chosen.classes
        markers = sample.labels if sample.markers is None else sample.markers
        return {
            "name": sample.name,
            "by_class": sample.classes is not None,
            "image": torch.from_numpy(np.array(sample.image)),
            "labels": torch.from_numpy(np.array(sample.labels)),
            "markers": torch.from_numpy(np.array(markers)),
            "target": target_tensor(chosen.target),
            "classes": torch.from_numpy(np.where(classes == UNKNOWN, np.int64(-1), classes)),
            "weights": torch.from_numpy(np.array(chosen.weights)),
        }


class UnlabelledImages(Dataset[dict[str, Any]]):
    """Name and image (c, h, w) of samples, without their labels."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        sample = self.samples[index]
        return {"name": sample.name, "image": torch.from_numpy(np.array(sample.image))}
