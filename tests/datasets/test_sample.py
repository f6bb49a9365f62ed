import numpy as np
import pytest
from jaxtyping import TypeCheckError

from unet_exp.datasets.sample import Sample, check_split


def test_image_and_labels_have_one_size() -> None:
    image, labels = np.zeros((3, 4, 6), np.float32), np.zeros((4, 6), np.int32)
    assert Sample("a", image, labels, labels.astype(np.uint8)).path is None
    with pytest.raises(TypeCheckError):
        Sample("a", image, labels.T.copy())
    with pytest.raises(TypeCheckError):
        Sample("a", image.astype(np.float64), labels)


def test_splits_have_fixed_names() -> None:
    check_split("validation")
    with pytest.raises(ValueError, match="no split 'val'"):
        check_split("val")
