"""Arrays that are read by slices."""

import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal

from unet_exp.arrays import MappedArray, SlicedArray

ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def test_arrays_of_numpy_and_zarr_and_mapped_ones_meet_the_protocol(tmp_path) -> None:
    stored = zarr.create_array(tmp_path / "a.zarr", data=ARRAY)
    for array in (ARRAY, stored, MappedArray(ARRAY, lambda array, key: array[key])):
        assert isinstance(array, SlicedArray)
        assert (array.shape, np.dtype(array.dtype)) == ((2, 3, 4), np.uint8)
        assert_array_equal(array[0:1, 1:3, :], ARRAY[0:1, 1:3])


def test_a_function_is_called_for_what_is_read_alone() -> None:
    calls = []

    def negated(array: np.ndarray, key: tuple[slice, ...]) -> np.ndarray:
        calls.append(key)
        return -array[key].astype(np.int16)

    mapped = MappedArray(ARRAY, negated, dtype=np.int16)
    assert not calls
    assert_array_equal(mapped[1:2, 0:1, 2:4], [[[-14, -15]]])
    assert len(calls) == 1
    assert mapped.dtype == np.int16


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_result_may_have_another_shape(axis: int) -> None:
    def without_axis(array: np.ndarray, key: tuple[slice, ...]) -> np.ndarray:
        return array[(*key[:axis], 0, *key[axis:])]

    shape = tuple(np.delete(ARRAY.shape, axis))
    mapped = MappedArray(ARRAY, without_axis, shape=shape)
    assert mapped.ndim == 2
    assert_array_equal(mapped[0:2, 1:3], ARRAY.take(0, axis)[0:2, 1:3])
