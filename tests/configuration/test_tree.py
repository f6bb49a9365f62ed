from unet_exp.configuration.tree import differences, leaves


def test_differences_reach_into_nested_parts() -> None:
    old, new = {"a": {"b": 1, "c": [1]}}, {"a": {"b": 1, "c": [2]}, "d": 3}
    assert list(differences(old, new)) == [("a.c", [1], [2]), ("d", None, 3)]


def test_a_name_that_is_missing_differs_from_an_empty_part() -> None:
    assert list(differences({"a": {}}, {})) == [("a", {}, None)]
    assert list(differences({}, {})) == []


def test_leaves_of_parts_without_values_are_none() -> None:
    assert list(leaves({"a": {}, "b": [], "c": None})) == [("c", None)]
