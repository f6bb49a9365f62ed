from typing import Any

import numpy as np
import pytest

from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.parameters import with_values


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("threshold", "0.4", r"threshold='0\.4' is of type str\. Give a number\."),
        ("threshold", True, r"threshold=True is of type bool\. Give a number\."),
        ("threshold", None, r"threshold=None is of type NoneType\. Give a number\."),
        ("min_size", 1.5, r"min_size=1\.5 is of type float\. Give a whole number\."),
        ("fill_holes", 1, r"fill_holes=1 is of type int\. Give True or False\."),
        ("threshold", 2, r"threshold=2"),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_refused(
    name: str, value: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        with_values(Components(), {name: value})


def test_numbers_of_numpy_are_numbers() -> None:
    values = {"threshold": np.float32(0.25), "min_size": np.int64(3), "fill_holes": np.bool_(False)}
    changed = with_values(Components(), values)
    assert (changed.threshold, changed.min_size, changed.fill_holes) == (0.25, 3, False)
