"""Files of probabilities hold the classes alone, without other evidence of a target."""

from pathlib import Path

import numpy as np
import pytest
import torch

from unet_exp.images.image_file import open_image
from unet_exp.inference.overlap_tile import OverlapTile
from unet_exp.inference.predictor import Predictor
from unet_exp.models.unet import UNet
from unet_exp.postprocessing.watershed import Watershed
from unet_exp.prediction.scratch import scratch
from unet_exp.prediction.segment import segment
from unet_exp.targets.distance import Distance
from unet_exp.targets.foreground import Foreground
from unet_exp.targets.three_class import ThreeClass

IMAGE = np.random.default_rng(0).random((40, 56), np.float32)


@pytest.mark.parametrize("in_memory", [0, 10**6])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", [Foreground, ThreeClass, Distance])
def test_probabilities_classes_and_instances(
    tmp_path: Path, kind: type[Foreground | ThreeClass | Distance], classes: int, in_memory: int
) -> None:
    np.save(tmp_path / "a.npy", IMAGE)
    target = kind(num_classes=classes)
    torch.manual_seed(0)
    network = UNet(
        depth=1, base_channels=4, padding="same", out_channels=target.out_channels
    ).eval()
    postprocessing = Watershed(0.4, 0.45, height=target.height)
    predictor = Predictor([network], target, OverlapTile(), postprocessing)
    expected = predictor.predict(IMAGE[None])
    with open_image(tmp_path / "a.npy", 1) as opened, scratch(tmp_path, in_memory) as new_array:
        found = segment(opened, "none", predictor, new_array)
        probabilities = np.asarray(found.probabilities[0][...])
        instances = np.asarray(found.instances[0][...])
        most_probable = [np.asarray(page[...]) for page in found.classes]
    shown = 1 - expected.probabilities[0] if classes == 2 else expected.probabilities
    np.testing.assert_allclose(probabilities, shown, atol=1e-6)
    np.testing.assert_array_equal(instances, expected.instances)
    assert len(most_probable) == (classes > 2)
    for page in most_probable:
        np.testing.assert_array_equal(page, expected.probabilities.argmax(0))
