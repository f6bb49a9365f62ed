from dataclasses import replace
from typing import Any

import pytest

from unet_exp.planning.fingerprint import Fingerprint
from unet_exp.planning.plan import UNPLANNED, PlanError, describe, plan, smoothing

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
    found = replace(NUCLEI, sides=sides, diameters=(2, 3, large))
    assert plan(found, scale=1.0)["model.depth"].value == depth


def test_tile_and_batch() -> None:
    assert (values()["loader.max_tile"], values()["loader.batch_size"]) == (128, 8)
    # 1.1 times a large object, in steps of 32.
    middle = values(diameters=(50, 80, 120))
    assert (middle["loader.max_tile"], middle["loader.batch_size"]) == (160, 5)
    small = values(sides=(64, 64))
    assert (small["loader.max_tile"], small["loader.batch_size"]) == (128, 16)  # 8 would be 1/4
    large = values(sides=(1000, 1000), diameters=(100, 150, 260))
    assert (large["loader.max_tile"], large["loader.batch_size"]) == (288, 2)
    assert plan(NUCLEI, tile=128)["loader.batch_size"].value == 8


def test_the_gaps_between_objects() -> None:
    assert values(diameters=(50, 90, 100))["weight_map.sigma"] == 4.5
    assert values(diameters=(20, 30, 40))["weight_map.sigma"] == 1.5
    assert values(diameters=(6, 9, 16))["weight_map.sigma"] == 1.0
    assert values(diameters=(200, 300, 320), sides=(2048, 2048))["weight_map.sigma"] == 5.0


def test_objects_that_do_not_touch_keep_the_sigma_of_the_article() -> None:
    assert values(diameters=(6, 9, 16), touching=0.0)["weight_map.sigma"] == 5.0


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


def test_objects_too_large_for_any_depth_are_refused_at_a_given_scale() -> None:
    found = replace(NUCLEI, sides=(2048, 2048), diameters=(700, 800, 900))
    with pytest.raises(PlanError, match=r"measure 900 pixels.* dataset\.object_diameter=100"):
        plan(found, scale=1.0)


@pytest.mark.parametrize(
    ("diameters", "scale"),
    [
        ((5, 8, 20), 1.0),
        ((3, 5, 20), 3.2),  # with 16 pixels
        ((1, 2, 3), 4.0),  # the most
        ((100, 200, 510), 1.0),
        ((100, 200, 600), 0.32),  # large ones with the 192 pixels that 4 poolings see
    ],
)
def test_images_of_very_small_or_large_objects_are_resized(
    diameters: tuple[int, int, int], scale: float
) -> None:
    assert values(diameters=diameters)["inference.scale"] == scale
    assert values(diameters=diameters, by_class=True)["inference.scale"] == 1


def test_the_plan_is_for_the_images_that_the_network_sees() -> None:
    found = replace(NUCLEI, sides=(40, 80), diameters=(10, 20, 30), pixels=2**22)
    planned = plan(found, object_diameter=10)
    assert planned["inference.scale"].value == 0.5
    assert planned["model.depth"].value == 3  # 20 pixels are left
    assert planned["trainer.max_steps"].value == 500  # for 2**20 pixels
    assert planned["postprocessing.min_size"].value == 19  # a quarter of 79, not resized


def test_a_diameter_of_classes_or_of_nothing_is_refused() -> None:
    with pytest.raises(PlanError, match=r"object_diameter=30 .*Give inference\.scale=FACTOR"):
        plan(replace(NUCLEI, by_class=True), object_diameter=30)
    with pytest.raises(PlanError, match=r"object_diameter=-3: give the diameter"):
        plan(NUCLEI, object_diameter=-3)


@pytest.mark.parametrize(("median", "expected"), [(20, 2.0), (16, 2.0), (12, 1.5), (6, 0.75)])
def test_small_objects_are_smoothed_less(median: float, expected: float) -> None:
    found = replace(NUCLEI, diameters=(median / 2, median, 2 * median))
    assert smoothing(found, usual=2.0).value == expected
    assert smoothing(replace(found, by_class=True), usual=2.0).value == 2.0


def test_an_object_as_large_as_its_image_is_planned_for() -> None:
    found = values(sides=(256, 256), diameters=(280, 280, 280), objects=2, images=2, foreground=0.9)
    assert (found["model.depth"], found["loader.max_tile"]) == (5, 320)


def test_the_facts_are_described_in_lines() -> None:
    first, second = describe(NUCLEI)
    assert first == "170 images with sides of 256 to 1272 pixels, 15% foreground"
    assert "6,382 objects of 8 to 52 pixels in diameter, median 20" in second
    assert "30% touch another" in second
    *_, last = describe(replace(NUCLEI, outliers=0.25))
    assert "25% of the images" in last
    assert "dataset.normalization=percentile" in last
