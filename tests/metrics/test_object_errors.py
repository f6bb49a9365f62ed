import pytest
import torch

from unet_exp.metrics.object_errors import Errors, ObjectErrors, object_errors, sizes_by_kind

KINDS = {
    "found": ("1111..22", "3333..44", Errors(2, 0, 0, 0, 0, 0)),
    "merged, and neither matches": ("1111.2222", "333333333", Errors(0, 2, 0, 0, 0, 0)),
    "merged, though the larger one still matches": (
        "111111.22",
        "333333333",
        Errors(1, 1, 0, 0, 0, 0),
    ),
    "split": ("111111111", "3333.4444", Errors(0, 0, 1, 0, 0, 0)),
    "split, though one part matches": ("11111111", "33333344", Errors(1, 0, 0, 0, 0, 0)),
    "missed": ("1111..22", "3333....", Errors(1, 0, 0, 1, 0, 0)),
    "too small": ("11111111", "...3....", Errors(0, 0, 0, 0, 1, 0)),
    "too large": ("...11...", "33333333", Errors(0, 0, 0, 0, 1, 0)),
    "false": ("11......", "33..44.5", Errors(1, 0, 0, 0, 0, 2)),
    "unknown": ("11..????", "33..4444", Errors(1, 0, 0, 0, 0, 0)),
    "nothing": ("....", "....", Errors(0, 0, 0, 0, 0, 0)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_drawn_examples(draw, kind: str) -> None:
    truth, predicted, expected = KINDS[kind]
    assert object_errors(draw(predicted), draw(truth)) == expected


def test_errors_of_all_images_over_all_true_objects(draw) -> None:
    metric = ObjectErrors()
    metric.update(draw("333333333"), draw("1111.2222"))
    metric.update(draw("33..44"), draw("11...."))
    assert list(metric.details().values()) == [1, 2, 0, 0, 0, 1]
    assert metric.compute() == torch.tensor(3 / 3)


def test_sizes_of_objects_by_kind(draw) -> None:
    found = sizes_by_kind(draw("33....4444.55"), draw("11.222......."))
    assert (found["found"], found["missed"], found["false"]) == ([2], [3], [4, 2])
    assert found["merged"] == found["split"] == found["outline"] == []
