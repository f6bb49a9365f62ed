import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from unet_exp.connectivity import first_pixels, label_components


def drawn(text: str) -> np.ndarray:
    """One character a pixel: '.' is 0."""
    return np.array([[int(c.replace(".", "0")) for c in row] for row in text.split()], np.int32)


def test_components_by_sides_or_corners() -> None:
    mask = drawn("11.1 ..1. 1..1") > 0
    assert (label_components(mask, 1) == drawn("11.2 ..3. 4..5")).all()
    assert (label_components(mask, 2) == drawn("11.1 ..1. 2..1")).all()


def test_numbers_follow_reading_order() -> None:
    mask = drawn("...1 2..1 .2.. ..3.") > 0
    assert (label_components(mask, 1) == drawn("...1 2..1 .3.. ..4.")).all()
    assert (label_components(mask, 2) == drawn("...1 2..1 .2.. ..2.")).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.sampled_from([1, 2]))
def test_components_are_those_of_scipy(seed: int, share: float, connectivity: int) -> None:
    mask = np.random.default_rng(seed).random((14, 17)) < share
    labels = label_components(mask, connectivity)
    structure = ndimage.generate_binary_structure(2, connectivity)
    expected, count = ndimage.label(mask, structure)
    pairs = set(zip(labels.ravel().tolist(), expected.ravel().tolist(), strict=True))
    assert labels.max() == count
    assert len(pairs | {(0, 0)}) == count + 1
    first = first_pixels(labels)
    assert (np.diff(first) > 0).all()
    assert labels.ravel()[first].tolist() == list(range(1, count + 1))


def test_an_empty_mask_has_no_component() -> None:
    assert label_components(np.zeros((2, 3), bool), 2).max() == 0


def test_another_connectivity_is_refused() -> None:
    with pytest.raises(ValueError, match="connectivity=8 is neither 1"):
        label_components(np.ones((1, 1), bool), 8)
