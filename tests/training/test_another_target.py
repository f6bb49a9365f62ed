"""A new target is one class. Here a network learns distances to the background."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from tests.training.fitting import fit, rows
from unet_exp.targets.target import Encoded, Target
from unet_exp.weight_maps.class_weights import UNKNOWN

HERE = "tests.training.test_another_target"


class Distance:
    """Distance in pixels to the background, divided by ``reach`` and at most 1."""

    num_classes, out_channels = 2, 1
    gap, height, smoothing, seed_threshold = 0, None, 0.0, 0.9
    losses = ("weighted_absolute_error",)
    maps = ()

    def __init__(self, reach: float = 4.0) -> None:
        self.reach = reach

    def encode(self, labels: np.ndarray, classes: np.ndarray | None = None) -> Encoded:
        distances = ndimage.distance_transform_edt(labels > 0)
        target = np.minimum(np.asarray(distances) / self.reach, 1).astype(np.float32)
        target[labels < 0] = np.nan
        classes = (labels > 0) + (labels < 0) * np.uint8(UNKNOWN)
        return Encoded(target[None], labels, classes)

    def evidence(self, output: Tensor) -> Tensor:
        inside = output.clip(0, 1)
        return torch.cat([1 - inside, inside], 1)


class WeightedAbsoluteError(nn.Module):
    def forward(self, output: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        assert output.shape == target.shape
        return (weights[:, None] * (output - target).abs()).mean()


OVERRIDES = (
    "~target", f"+target._target_={HERE}.Distance", "+target.reach=3.0",
    "dataset.size=64", "dataset.train=2", "dataset.validation=1",
    "model.depth=1", "model.base_channels=2", "weight_map=uniform",
    "trainer=cpu", "trainer.max_steps=2", "loader.tile=32", "loader.steps_per_validation=1",
    "pictures.images=1", "pictures.every=1",
)  # fmt: skip


def test_it_is_a_target() -> None:
    assert isinstance(Distance(), Target)


def test_it_trains_through_the_loaders_and_the_module(tmp_path: Path) -> None:
    loss = ("~loss", f"+loss._target_={HERE}.WeightedAbsoluteError")
    trainer, _ = fit(tmp_path, [*OVERRIDES, *loss])
    assert trainer.global_step == 2
    module = trainer.lightning_module
    assert module.network.out_channels == 1
    assert module.target.reach == 3.0
    scores = rows(tmp_path)[-1]
    assert {"val/loss", "val/pixel_error", "val/seg", "val/iou"} <= set(scores)
    assert all(math.isfinite(float(scores[name])) for name in ("val/loss", "val/pixel_error"))
    assert list((tmp_path / "pictures").glob("validation_000_step_000002.png"))


def test_a_loss_of_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"WeightedCrossEntropy does not fit the target Distance"):
        fit(tmp_path, OVERRIDES)
