from typing import Any

import numpy as np
import pytest

from unet_exp.augmentations.paper import Augmentation
from unet_exp.datasets.sample import Sample
from unet_exp.models.unet import UNet
from unet_exp.targets.flows import Flows
from unet_exp.targets.foreground import Foreground
from unet_exp.training.supervision import Supervised
from unet_exp.training.tiles import TileNumbers, Tiles, tile_side


def test_ranks_share_the_numbers_of_one_device() -> None:
    alone = TileNumbers(8, lambda: 24)
    pair = [TileNumbers(4, lambda: 12, rank, world=2) for rank in (0, 1)]
    assert sorted([*pair[0], *pair[1]]) == sorted(alone) == list(range(24, 32))


@pytest.mark.parametrize(
    "target",
    [
        np.array([[-1, 0], [0, 1]], np.int16),
        np.array([[np.nan, -2.0], [0.0, 1.0]], np.float32),
        np.array([[[0.0, 1.0], [1.0, 0.0]], [[np.nan, -1.0], [0.0, 1.0]]], np.float32),
    ],
    ids=["classes", "numbers", "channels"],
)
def test_unknown_pixels_weigh_nothing_however_weights_were_spread(target: np.ndarray) -> None:
    def spread(image: Any, target: Any, weights: Any, seed: int) -> Any:
        return image, target, weights + 0.5

    image, weights = np.zeros((1, 2, 2), np.float32), np.zeros((2, 2), np.float32)
    classes = np.zeros((2, 2), np.uint8)
    sample = Supervised(Sample("a", image), target, classes, weights)
    tile = Tiles([sample], spread, seed=0)[0]
    assert tile["weights"].tolist() == [[0, 0.5], [0.5, 0.5]]
    assert tile["target"].isfinite().all()


def test_an_augmentation_that_does_not_turn_directions_is_refused() -> None:
    def plain(image: Any, target: Any, weights: Any, seed: int) -> Any:
        return image, target, weights

    Tiles([], plain, seed=0, target=Foreground())
    Tiles([], lambda **_: None, seed=0, target=Flows())
    with pytest.raises(ValueError, match=r"Flows has directions, .* Give it a parameter `turned`"):
        Tiles([], plain, seed=0, target=Flows())


def test_interpolation_gives_unknown_pixels_no_weight() -> None:
    image = np.random.default_rng(0).normal(size=(1, 90, 90)).astype(np.float32)
    target = (image[0] > 0).astype(np.int16)
    target[:, 30:60] = -1
    weights = np.where(target < 0, np.float32(0), np.float32(3))
    sample = Supervised(Sample("a", image), target, np.zeros((90, 90), np.uint8), weights)
    tiles = Tiles([sample], Augmentation(60, 44), seed=0)
    for number in range(5):
        tile = tiles[number]
        assert (tile["weights"][tile["target"] < 0] == 0).all()
        assert (tile["weights"][tile["target"] >= 0] > 0).any()


@pytest.mark.parametrize(("tile", "remedy"), [(45, "44 or 46"), (17, "18")])
def test_a_tile_that_does_not_fit_is_refused(tile: int, remedy: str) -> None:
    network = UNet(depth=1, base_channels=1)
    with pytest.raises(ValueError, match=rf"loader\.tile={tile} does not fit.*Take {remedy}"):
        tile_side(network, tile, 388, 512)


def test_the_largest_side_is_a_limit_of_the_output() -> None:
    network = UNet(depth=1, base_channels=1)
    assert network.output_size(tile_side(network, None, 100, 512)) == 100
