import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from unet_exp.datasets.labels.numbering import renumber, unique_inverse

TYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64)
EXTREMES = [(t, int(end)) for t in TYPES for end in (np.iinfo(t).min, np.iinfo(t).max)]


@given(st.sampled_from(TYPES).flatmap(lambda t: arrays(t, array_shapes(min_dims=2, max_dims=2))))
def test_places_are_those_of_numpy(page: np.ndarray) -> None:
    values, at = unique_inverse(page)
    expected, inverse = np.unique(page, return_inverse=True)
    assert values.dtype == page.dtype
    assert_array_equal(values, expected)
    assert_array_equal(at, inverse.reshape(page.shape))


@pytest.mark.parametrize(("dtype", "end"), EXTREMES)
def test_the_ends_of_every_type(dtype, end) -> None:
    page = np.array([[0, end, 1, end]], dtype)
    values, at = unique_inverse(page)
    assert_array_equal(values[at], page)
    keeps = end < 2**16
    last = max(end, -1) if keeps else 2
    assert renumber(page).tolist() == [[0, last, 1, last]]


def test_without_background_numbers_begin_at_1() -> None:
    assert renumber(np.array([[2**40, 2**50]])).tolist() == [[1, 2]]
    assert renumber(np.array([[-(2**40), 2**50, 3]])).tolist() == [[-1, 2, 1]]
    assert renumber(np.array([[-(2**40), 65535, 3]])).tolist() == [[-1, 65535, 3]]


@pytest.mark.parametrize("top", [2**28, 2**32 - 1, 2**64 - 1])
def test_large_numbers_take_no_more_time_and_memory_than_their_image(top: int) -> None:
    ids = np.array([top * n // 1023 for n in range(1024)], np.uint64).reshape(32, 32)
    page = np.kron(ids, np.ones((16, 16), np.uint64))
    tracemalloc.start()
    start = time.perf_counter()
    numbered = renumber(page)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_array_equal(numbered, np.kron(np.arange(1024).reshape(32, 32), np.ones((16, 16))))
    assert peak < 10 * page.nbytes
    assert seconds < 2
