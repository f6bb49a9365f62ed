import numpy as np
import pytest

from unet_exp.datasets.label_kinds import count_classes, infer_kind


def page(*rows: str) -> np.ndarray:
    """Draw labels by letters: a dot for 0, ? for -1, digits for themselves, # for 255."""
    values = {".": 0, "?": -1, "#": 255}
    return np.array([[values.get(c) if c in values else int(c) for c in r] for r in rows], np.int32)


def test_two_values_are_inside_and_outside() -> None:
    assert infer_kind([page(".#.#"), page("....")]) == "binary"
    assert infer_kind([page(".1.1?")]) == "binary"
    assert infer_kind([page("1111")]) == "binary"


def test_numbers_in_one_piece_are_instances() -> None:
    assert infer_kind([page("11.22", "11.23", "4..33")]) == "instances"
    assert infer_kind([page("1.", ".1", "22"), page("33..")]) == "instances"  # joined by a corner


def test_crumbs_and_an_occasional_split_do_not_turn_instances_into_classes() -> None:
    crumb = page("1" * 20 + ".1", "2" * 22)
    assert infer_kind([crumb]) == "instances"
    assert infer_kind([page("11.22.33.44.1")]) == "classes"  # one in four is too many
    assert infer_kind([page("11.22.33.44.55.66.1")]) == "instances"


def test_few_numbers_in_many_pieces_are_classes() -> None:
    assert infer_kind([page("1.2.1", "2.1.2", "..#..")] * 3) == "classes"
    assert infer_kind([page("?1.2.1", "?2.1.2")]) == "classes"


@pytest.mark.parametrize("labels", [page("5.7.5.7"), page("1.3.1.3")])
def test_scattered_numbers_with_gaps_are_not_guessed(labels) -> None:
    with pytest.raises(ValueError, match=r"look neither like instances nor like classes.*labels="):
        infer_kind([labels])


def test_classes_are_counted_without_gaps() -> None:
    assert count_classes([page("12.?#"), page("33")]) == 4
    with pytest.raises(ValueError, match=r"class labels of values 0, 2 leave gaps"):
        count_classes([page("2.")])
