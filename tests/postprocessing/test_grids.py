import pytest
import torch

from unet_exp.postprocessing.components import Components
from unet_exp.postprocessing.grids import lengths_and_sizes, object_sizes, one_two_five
from unet_exp.postprocessing.none import ClassMap
from unet_exp.postprocessing.watershed import Watershed


def test_sizes_of_all_objects_of_all_images(draw) -> None:
    images = [torch.from_numpy(draw(text)) for text in ("11.33 1....", "...", "22")]
    unknown = torch.tensor([[-1, -1, 5]])
    assert object_sizes([*images, unknown]).tolist() == [3, 2, 2, 1]


@pytest.mark.parametrize(("side", "least"), [(10, 100), (100, 10_000)])
def test_no_true_object_is_smaller_than_the_offered_values(side: int, least: int) -> None:
    offered = lengths_and_sizes([torch.ones(side, side, dtype=torch.int32)])
    assert max(offered["min_size"]) <= least
    assert max(offered["grow"]) <= side / 4


def test_without_objects_only_values_without_a_size_are_offered() -> None:
    nothing = [torch.zeros(3, 3, dtype=torch.int32)]
    assert set(Components().grid(nothing)) == {"threshold", "fill_holes"}
    assert not {"min_size", "grow"} & set(Watershed().grid(nothing))
    assert ClassMap().grid(nothing) == {}


def test_the_offered_names_are_parameters() -> None:
    labels = [torch.ones(30, 30, dtype=torch.int32)]
    for postprocessing in (Components(), Watershed()):
        for name, values in postprocessing.grid(labels).items():
            assert {type(v) for v in values} == {type(getattr(postprocessing, name))}
            assert values == sorted(set(values)) or name == "fill_holes"


def test_steps_between_bounds() -> None:
    assert one_two_five(3, 60) == [5, 10, 20, 50]
    assert one_two_five(0, 0.5) == []
