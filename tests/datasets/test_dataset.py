from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from unet_exp.datasets.dataset import Dataset, require_dataset
from unet_exp.datasets.sample import Sample
from unet_exp.datasets.synthetic import Synthetic

IMAGE, LABELS = np.zeros((1, 4, 6), np.float32), np.zeros((4, 6), np.int32)


class Own:
    name, in_channels, num_classes = "own", 1, 2

    def __init__(self, *samples: Any) -> None:
        self.samples = samples

    def split(self, name: str) -> Sequence[Any]:
        return self.samples if name == "train" else ()


def test_project_and_user_data_sets_are_accepted() -> None:
    for dataset in (Synthetic(size=32), Own(Sample("a", IMAGE, LABELS)), Own()):
        assert isinstance(dataset, Dataset)
        require_dataset(dataset)


def test_missing_members_are_named() -> None:
    class Half:
        name = "half"

    told = r"dataset: \S+Half lacks in_channels, num_classes, split\. .*Dataset describes"
    with pytest.raises(TypeError, match=told):
        require_dataset(Half())


def wrong(**given: Any) -> Sample:
    """Return a sample whose arrays were not type-checked."""
    sample = object.__new__(Sample)
    for name, value in {"name": "a", "image": IMAGE, "labels": LABELS, "classes": None}.items():
        object.__setattr__(sample, name, given.get(name, value))
    return sample


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ((IMAGE, LABELS), "Own returns a tuple as a sample. Return unet_exp.datasets.sample.Samp"),
        (wrong(image=IMAGE[0]), r"images of shape \(4, 6\) .*here \(1, h, w\)"),
        (wrong(image=IMAGE.astype(float)), "type float64. Return float32"),
        (wrong(labels=LABELS[:2]), r"labels of shape \(2, 6\)"),
        (wrong(labels=LABELS + 0.5), "labels of shape .* type float64"),
        (wrong(classes=LABELS[None]), r"classes of shape \(1, 4, 6\)"),
    ],
)
def test_a_wrong_sample_is_refused(sample: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        require_dataset(Own(sample))
