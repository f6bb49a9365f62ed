from typing import Any

import numpy as np

from unet_exp.arrays import MappedArray
from unet_exp.packages.fields import Fields
from unet_exp.packages.image_steps import image_steps


def test_percentiles_are_of_one_pass() -> None:
    """A large file would be read again for each of them."""
    image = np.arange(200, dtype=np.float32).reshape(2, 10, 10)
    keys: list[Any] = []

    def read(source: Any, key: Any) -> np.ndarray:
        keys.append(key)
        return source[key]

    counted = MappedArray(image, read, dtype=np.float32)
    kwargs = {"min_percentile": 0, "max_percentile": 100, "axes": ["y", "x"]}
    [step] = image_steps([Fields({"id": "scale_range", "kwargs": kwargs}, "rdf.yaml")], channels=2)
    step(counted)
    assert len(keys) == 2  # one for each channel
    assert np.allclose(step(image)[:, :, :].reshape(2, -1)[:, [0, -1]], [[0, 1], [0, 1]])


def test_a_limit_may_be_a_number_and_the_other_a_percentile() -> None:
    image = np.arange(101, dtype=np.float32).reshape(1, 1, 101)
    kwargs = {"min": 20, "max_percentile": 90}
    [step] = image_steps([Fields({"id": "clip", "kwargs": kwargs}, "rdf.yaml")], channels=1)
    found = step(image)[:, :, :]
    assert (found.min(), found.max()) == (20, 90)
