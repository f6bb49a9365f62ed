import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from tests.targets.test_separation import patches

from unet_exp.targets.distances import to_other_object, to_own_border


@given(st.integers(0, 10**6), st.integers(1, 12))
@settings(deadline=None, max_examples=30)
def test_distances_are_those_of_one_object_after_the_other(seed: int, cells: int) -> None:
    labels = patches(seed, cells, 30)
    other = to_other_object(labels, 50)
    own = to_own_border(labels, other)
    assert (own[labels == 0] == 0).all()
    for one in np.unique(labels[labels > 0]):
        inside, others = labels == one, (labels > 0) & (labels != one)
        if not inside.all():
            expected = ndimage.distance_transform_edt(inside)
            np.testing.assert_allclose(own[inside], expected[inside], rtol=1e-5)
        if others.any():
            expected = ndimage.distance_transform_edt(~others)
            np.testing.assert_allclose(other[inside], expected[inside], rtol=1e-5)
