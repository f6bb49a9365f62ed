from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unet_exp.augmentations.paper import Augmentation
from unet_exp.datasets.sample import Sample
from unet_exp.datasets.synthetic import Synthetic
from unet_exp.models.sliding_window import SlidingWindow
from unet_exp.models.unet import UNet
from unet_exp.targets.foreground import Foreground
from unet_exp.training.loaders import Loaders
from unet_exp.weight_maps.border import BorderWeightMap
from unet_exp.weight_maps.uniform import UniformWeightMap


class Two:
    """Two images of 64 x 80 pixels whose labels are their number and an unknown corner."""

    name, in_channels, num_classes = "two", 1, 2

    def __init__(self, height: int = 64) -> None:
        self.height = height

    def split(self, name: str) -> list[Sample]:
        samples = []
        for number in (1, 2):
            labels = np.full((self.height, 80), number, np.int32)
            labels[:5, :5], labels[-9:] = -1, 0
            image = np.random.default_rng(number).normal(size=(1, self.height, 80))
            samples.append(Sample(f"{name}_{number}", image.astype(np.float32), labels))
        return samples


def corner(size: int, output_size: int) -> Callable[..., Any]:
    """Stand for an augmentation: the upper left corner, always."""

    def view(image: Any, target: Any, weights: Any, seed: int) -> Any:
        window = (slice(output_size), slice(output_size))
        return np.resize(image, (1, size, size)) + seed % 1000, target[window], weights[window]

    return view


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loaders]:
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path))

    def loaders(
        dataset: Any = None, network: Any = None, target: Any = None, **arguments: Any
    ) -> Loaders:
        network = network or UNet(depth=1, base_channels=1)
        parts = network, target or Foreground(), BorderWeightMap(), corner, tmp_path
        return Loaders(dataset or Two(), *parts, **arguments)

    return loaders


def test_batches_have_the_networks_sides(make: Callable[..., Loaders]) -> None:
    batch = next(iter(make(tile=44, batch_size=3).train()))
    assert batch["image"].shape == (3, 1, 44, 44)
    assert batch["target"].shape == batch["weights"].shape == (3, 28, 28)
    assert batch["target"].dtype == torch.int64


def test_a_window_is_centred_on_the_pixel_that_it_teaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNET_EXP_CACHE", str(tmp_path))
    augmentation = partial(Augmentation, rotation=0.0, quarter_turns=True, elastic_std=0.0)
    loaders = Loaders(
        Two(height=100),
        SlidingWindow(maps=1),
        Foreground(separation=False),
        UniformWeightMap(),
        augmentation,
        tmp_path,
        tile=95,
        batch_size=40,
    )
    images = loaders.supervised("train")
    batch = next(iter(loaders.train()))
    assert batch["image"].shape == (40, 1, 95, 95)
    assert batch["target"].shape == batch["weights"].shape == (40, 1, 1)
    # Every grey value is another, so it tells its pixel.
    pixels = {float(v): p for s in images for p, v in np.ndenumerate(s.sample.image[0])}
    classes = [
        {s.target[pixels[float(window[0, 47, 47])]] for s in images} for window in batch["image"]
    ]
    assert classes == [{int(target)} for target in batch["target"]]
    assert {0, 1} <= set(batch["target"].flatten().tolist())


def test_unknown_pixels_weigh_nothing(make: Callable[..., Loaders]) -> None:
    (first, _) = make().supervised("validation")
    assert (first.target[:5, :5] == -1).all()
    assert (first.weights[:5, :5] == 0).all()
    assert (first.weights[20:, 20:] > 0).all()


def test_weight_maps_are_computed_once(
    make: Callable[..., Loaders], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make().supervised("train")
    monkeypatch.setattr(BorderWeightMap, "__call__", lambda *_: pytest.fail("computed again"))
    after = make().supervised("train")
    assert all(np.array_equal(a.weights, b.weights) for a, b in zip(before, after, strict=True))


def test_a_tile_is_a_function_of_its_number(make: Callable[..., Loaders]) -> None:
    def epochs(workers: int) -> list[torch.Tensor]:
        seen: list[torch.Tensor] = []
        loader = make(batch_size=2, steps_per_validation=3, num_workers=workers).train(
            lambda: len(seen)
        )
        for _ in range(2):
            seen += [batch["image"] for batch in loader]
        return seen

    alone, helped = epochs(0), epochs(2)
    assert len(alone) == 6
    assert all(torch.equal(a, b) for a, b in zip(alone, helped, strict=True))
    assert len({float(image[0, 0, 0, 0]) for image in alone}) == 6


def test_every_image_comes_once_a_turn(make: Callable[..., Loaders]) -> None:
    # Image 2 is told from image 1 by the first of its grey values, to which a whole seed is added.
    first = [s.image[0, 0, 0] % 1 for s in Two().split("train")]
    tiles = make().train().dataset
    seen = [float(tiles[number]["image"][0, 0, 0]) % 1 for number in range(8)]
    numbers = [int(np.argmin([abs(value - f) for f in first])) for value in seen]
    assert [sorted(numbers[k : k + 2]) for k in range(0, 8, 2)] == [[0, 1]] * 4


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        # Valid, depth 1: 16 pixels are lost, 64 + 16 = 80 fits since (80 - 4) is even.
        (UNet(depth=1, base_channels=1), 80),
        (UNet(depth=2, base_channels=1, padding="same"), 64),
        (UNet(depth=5, base_channels=1, padding="same"), 64),
    ],
)
def test_the_largest_fitting_tile_is_chosen(
    make: Callable[..., Loaders], network: UNet, expected: int
) -> None:
    loaders = make(network=network)
    assert loaders.training_tile() == expected


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        # Sides are 16 k - 4; the output of 236 is 52, which fits into 64.
        (UNet(depth=4, base_channels=1), 236),
        # Two pixels behind the poolings, where an image of 64 pixels would leave one or none.
        (UNet(depth=6, base_channels=1, padding="same"), 128),
        (UNet(depth=7, base_channels=1, padding="same"), 256),
    ],
)
def test_images_too_small_for_the_network_are_mirrored(
    make: Callable[..., Loaders], network: UNet, expected: int
) -> None:
    loaders = make(network=network)
    assert loaders.training_tile() == expected
    tile = loaders.train().dataset[0]
    assert tile["image"].shape[-2:] == (expected, expected)
    assert torch.isfinite(tile["image"]).all()


def test_a_tile_that_leaves_one_pixel_behind_the_poolings_is_refused(
    make: Callable[..., Loaders],
) -> None:
    loaders = make(network=UNet(depth=5, base_channels=1, padding="same"), tile=32)
    with pytest.raises(ValueError, match=r"loader\.tile=32 leaves a single pixel.*Take 64 or more"):
        loaders.training_tile()


def test_whole_images_come_with_their_labels(make: Callable[..., Loaders]) -> None:
    (first, second) = make().whole("validation")
    assert first["image"].shape == (1, 64, 80)
    assert first["labels"].unique().tolist() == [-1, 0, 1]
    assert second["name"] == "validation_2"


@pytest.mark.parametrize("name", ["batch_size", "steps_per_validation"])
def test_nothing_to_do_is_refused(make: Callable[..., Loaders], name: str) -> None:
    with pytest.raises(ValueError, match=f"loader.{name}=0"):
        make(**{name: 0})


@pytest.mark.parametrize(("images", "world"), [(5, 2), (4, 2), (1, 3), (7, 4)])
def test_processes_share_the_images(make: Callable[..., Loaders], images: int, world: int) -> None:
    loaders = make(Synthetic(train=1, validation=images, size=32))
    shares = [list(loaders.whole("validation", None, rank, world)) for rank in range(world)]
    assert len({len(batches) for batches in shares}) == 1
    names = [batch["name"] for batches in shares for batch in batches if batch]
    assert names == [f"validation_{number:03d}" for number in range(images)]


def test_a_limit_counts_the_images_of_all_processes(make: Callable[..., Loaders]) -> None:
    loaders = make(Synthetic(train=1, validation=5, size=32))
    shares = [list(loaders.whole("validation", 3, rank, 2)) for rank in (0, 1)]
    names = [[batch.get("name") for batch in batches] for batches in shares]
    assert names == [["validation_000", "validation_001"], ["validation_002", None]]


def test_tiles_are_cut_from_resized_images_and_whole_images_keep_their_size(
    make: Callable[..., Loaders],
) -> None:
    loaders = make(scale=0.5, tile=44)
    assert loaders.shown_sizes("train") == [(32, 40)] * 2
    (first, _) = loaders.supervised("train")
    assert first.sample.image.shape == (1, 32, 40)
    assert first.weights.shape == (32, 40)
    assert next(iter(loaders.train()))["image"].shape == (1, 1, 44, 44)
    whole = next(iter(loaders.whole("validation")))
    assert whole["image"].shape[1:] == whole["labels"].shape == whole["classes"].shape
    assert whole["labels"].shape == (64, 80)
    assert whole["target"].shape == whole["weights"].shape == (32, 40)
