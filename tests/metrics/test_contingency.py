import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import contingency_table

from unet_exp.metrics.contingency import contingency, object_table, region_sizes


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 12), st.integers(1, 12))
def test_equals_scikit_image(seed: int, regions: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, truth = rng.integers(0, regions, (2, height, width))
    table = contingency(torch.from_numpy(predicted), torch.from_numpy(truth))
    expected = contingency_table(truth, predicted, sparse_type="array").toarray()
    found = np.zeros_like(expected, dtype=np.int64)
    found[table.truth, table.predicted] = table.pixels
    assert (found == expected).all()
    assert (table.pixels > 0).all()


def test_unknown_pixels_belong_to_no_region(draw) -> None:
    table = contingency(draw("1122 1122"), draw("11?? .122"))
    assert table.truth.tolist() == [0, 1, 2]
    assert table.predicted.tolist() == [1, 1, 2]
    assert table.pixels.tolist() == [1, 3, 2]


def test_all_unknown_is_an_empty_table(draw) -> None:
    assert contingency(draw("11"), draw("??")).pixels.size == 0


def test_labels_near_the_largest_integer() -> None:
    big = torch.tensor([[2**31 - 1, 1]], dtype=torch.int32)
    table = contingency(big, big)
    assert table.truth.tolist() == table.predicted.tolist() == [1, 2**31 - 1]


def test_numbers_of_any_size_give_the_same_pixels() -> None:
    rng = np.random.default_rng(0)
    predicted, truth = rng.integers(0, 9, (2, 20, 20))
    near = contingency(torch.from_numpy(predicted), torch.from_numpy(truth))
    far = contingency(torch.from_numpy(predicted << 50), torch.from_numpy(truth << 40))
    assert (far.pixels == near.pixels).all()
    assert (far.truth >> 40 == near.truth).all()
    assert (far.predicted >> 50 == near.predicted).all()


def test_a_negative_prediction_is_refused(draw) -> None:
    with pytest.raises(ValueError, match=r"numbered -1.*leave the background 0"):
        contingency(draw("?1"), draw("11"))


def test_region_sizes() -> None:
    sizes = region_sizes(np.array([7, 0, 7, 7]), np.array([1, 5, 2, 3]))
    assert sizes.tolist() == [6, 5, 6, 6]


def drawn(text: str) -> torch.Tensor:
    """One row: a digit for an object, a dot for the background, a question mark for unknown."""
    return torch.tensor([[{".": 0, "?": -1}.get(c, int(c) if c.isdigit() else 0) for c in text]])


@pytest.mark.parametrize(
    ("labels", "instances", "objects"),
    [
        ("???..1", ".555.6", {6}),  # one pixel of three is known, and is background
        ("????.1", "5555.6", {6}),  # wholly unknown
        ("???..1", "5555.6", {6}),  # one of four is known, and is background
        ("???11.", "5555..", {5}),  # one of four is known, and belongs to a true object
        ("??...1", "5555.6", {5, 6}),  # half of it is known
        ("......", "555..6", {5, 6}),
    ],
)
def test_objects_that_are_mostly_unknown_do_not_count(
    labels: str, instances: str, objects: set[int]
) -> None:
    table = object_table(drawn(instances), drawn(labels))
    assert set(table.predicted.tolist()) - {0} == objects
    known = sum(character != "?" for character in labels)
    assert table.pixels.sum() == known
