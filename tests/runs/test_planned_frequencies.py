"""The frequencies of the classes in the training labels."""

from typing import Any

import numpy as np
import pytest
from omegaconf import DictConfig, OmegaConf

from unet_exp.datasets.sample import Sample
from unet_exp.runs.planned import settle_frequencies


class TwoImages:
    """One image of a fifth foreground, and one of background alone, half of it unknown."""

    def __init__(self) -> None:
        first, second = np.zeros((10, 10), np.int32), np.zeros((10, 10), np.int32)
        first[:2], second[5:] = 1, -1
        image = np.zeros((1, 10, 10), np.float32)
        self.samples = [Sample("a", image, first), Sample("b", image, second), Sample("c", image)]

    def split(self, name: str) -> list[Sample]:
        return self.samples


def config(**weight_map: Any) -> DictConfig:
    target = {"_target_": "unet_exp.targets.foreground.Foreground", "num_classes": 2}
    return OmegaConf.create({"weight_map": weight_map, "target": target})


def test_frequencies_are_those_of_all_images_together() -> None:
    cfg = config(class_balance=True, class_frequencies=None)
    settle_frequencies(cfg, TwoImages())
    assert cfg.weight_map.class_frequencies == pytest.approx([130 / 150, 20 / 150])


@pytest.mark.parametrize(
    "weight_map",
    [
        {"class_balance": False, "class_frequencies": None},
        {"class_balance": True, "class_frequencies": [0.5, 0.5]},
        {"class_balance": True},
        {},
    ],
)
def test_frequencies_are_not_counted_if_not_needed(weight_map: dict[str, Any]) -> None:
    cfg = config(**weight_map)
    settle_frequencies(cfg, TwoImages())
    assert cfg.weight_map == weight_map
