from dataclasses import replace
from typing import Any

import pytest

from unet_exp.planning.fingerprint import Fingerprint
from unet_exp.planning.plan import UNPLANNED, PlanError, describe, plan

NUCLEI = Fingerprint(
    images=170,
    channels=1,
    sides=(256, 1272),
    pixels=22 * 2**20,
    objects=6382,
    diameters=(8, 20, 52),
    smallest=21,
    touching=0.3,
    foreground=0.15,
)


def values(**changes: Any) -> dict[str, int | float]:
    return {key: choice.value for key, choice in plan(replace(NUCLEI, **changes)).items()}


def test_each_value_has_a_reason_and_a_usual_value() -> None:
    planned = plan(NUCLEI)
    assert planned.keys() == UNPLANNED.keys()
    assert all(choice.reason for choice in planned.values())
    assert {key: type(one.value) for key, one in planned.items()} == {
        key: type(value) for key, value in UNPLANNED.items()
    }


@pytest.mark.parametrize(
    ("sides", "large", "depth"),
    [
        ((256, 256), 52, 4),
        ((512, 512), 190, 4),  # 96 pixels to each side show 192
        ((512, 512), 200, 5),
        ((2048, 2048), 700, 6),
        ((128, 128), 200, 4),  # such an image leaves nothing for more poolings
        ((31, 256), 10, 3),
        ((8, 8), 3, 2),
        ((3, 3), 3, 1),
    ],
)
def test_depth_follows_images_and_objects(sides: tuple[int, int], large: float, depth: int) -> None:
    assert values(sides=sides, diameters=(2, 3, large))["model.depth"] == depth


def test_tile_and_batch() -> None:
    assert (values()["loader.max_tile"], values()["loader.batch_size"]) == (128, 8)
    middle = values(diameters=(50, 80, 120))
    assert (middle["loader.max_tile"], middle["loader.batch_size"]) == (192, 4)  # 1.6 x 120
    small = values(sides=(64, 64))
    assert (small["loader.max_tile"], small["loader.batch_size"]) == (128, 16)  # 8 would be 1/4
    large = values(sides=(1000, 1000), diameters=(100, 150, 260))
    assert (large["loader.max_tile"], large["loader.batch_size"]) == (416, 1)  # 1.5 x 260
    assert plan(NUCLEI, tile=128)["loader.batch_size"].value == 8


def test_the_gaps_between_objects() -> None:
    assert values(diameters=(50, 90, 100))["weight_map.sigma"] == 4.5
    assert values(diameters=(2, 5, 6))["weight_map.sigma"] == 4.0
    assert values(diameters=(200, 300, 320), sides=(2048, 2048))["weight_map.sigma"] == 5.0


def test_objects_that_do_not_touch_keep_the_sigma_of_the_article() -> None:
    assert values(diameters=(2, 5, 6), touching=0.0)["weight_map.sigma"] == 5.0


def test_specks_are_no_objects() -> None:
    # A disc with a diameter of 20 pixels has an area of 314.
    assert values(diameters=(20, 40, 60))["postprocessing.min_size"] == 78


def test_labels_that_are_classes_have_no_objects_to_count() -> None:
    found = values(by_class=True, diameters=(1, 1, 1), foreground=0.5)
    assert found["postprocessing.min_size"] == 0
    assert (found["model.depth"], found["loader.max_tile"]) == (4, 256)


@pytest.mark.parametrize(
    ("pixels", "steps"),
    [(2**16, 500), (2**20, 500), (2**22, 1000), (2**24, 2000), (2**40, 5000)],
)
def test_four_times_the_data_need_twice_the_steps(pixels: int, steps: int) -> None:
    assert values(pixels=pixels)["trainer.max_steps"] == steps


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"objects": 0, "diameters": (0, 0, 0), "foreground": 0}, "None of the 170 labelled"),
        ({"diameters": (1.13, 1.13, 1.13), "smallest": 1}, "single pixels"),
        ({"foreground": 1.0}, "no background"),
    ],
)
def test_labels_that_teach_nothing_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(PlanError, match=told) as caught:
        values(**changes)
    assert "plan=none" in str(caught.value)


def test_objects_too_large_for_any_depth_are_refused() -> None:
    with pytest.raises(PlanError, match=r"measure 900 pixels.* give model\.depth"):
        values(sides=(2048, 2048), diameters=(700, 800, 900))


def test_an_object_as_large_as_its_image_is_planned_for() -> None:
    found = values(sides=(256, 256), diameters=(280, 280, 280), objects=2, images=2, foreground=0.9)
    assert (found["model.depth"], found["loader.max_tile"]) == (5, 448)


def test_the_facts_are_told_in_lines() -> None:
    first, second = describe(NUCLEI)
    assert first == "170 images with sides of 256 to 1272 pixels, 15% foreground"
    assert "6,382 objects of 8 to 52 pixels in diameter, median 20" in second
    assert "30% touch another" in second
    *_, last = describe(replace(NUCLEI, outliers=0.25))
    assert "25% of the images" in last
    assert "dataset.normalization=percentile" in last
