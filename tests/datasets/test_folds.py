import pytest
from hypothesis import given
from hypothesis import strategies as st

from unet_exp.datasets.folds import fold_indices


def test_isbi_em_has_five_blocks_of_six_slices() -> None:
    assert [fold_indices(30, 5, fold)[1] for fold in range(5)] == [
        list(range(start, start + 6)) for start in (0, 6, 12, 18, 24)
    ]


@given(st.integers(2, 40), st.data())
def test_every_image_is_validated_on_once_and_never_trained_on_then(count, data) -> None:
    folds = data.draw(st.integers(2, count))
    held_out = []
    for fold in range(folds):
        train, validation = fold_indices(count, folds, fold)
        assert sorted(train + validation) == list(range(count))
        assert validation == list(range(validation[0], validation[-1] + 1))
        held_out += validation
    assert held_out == list(range(count))


@pytest.mark.parametrize(
    ("count", "folds", "fold", "message"),
    [
        (3, 4, 0, "3 images cannot be cut into 4 blocks"),
        (3, 1, 0, "into 1 blocks"),
        (3, 3, 3, r"no fold 3 of 3. Set dataset.fold from 0 to 2"),
        (3, 3, -1, "no fold -1"),
    ],
)
def test_impossible_folds_are_refused(count, folds, fold, message) -> None:
    with pytest.raises(ValueError, match=message):
        fold_indices(count, folds, fold)
