"""Samples to batches: targets and weights once, then a random tile for every step of training."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Float32, Int16
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from unet_exp.datasets.cache import cache_folder, cached_array, content_key
from unet_exp.datasets.sample import Sample
from unet_exp.models.network import Network
from unet_exp.training.ranks import share
from unet_exp.training.workers import default_workers, outliving
from unet_exp.targets.foreground import training_target

Batch = TypeVar("Batch", covariant=True)

#: Of the weight maps' algorithm: another number, and those in the cache are computed anew.
VERSION = 1


@dataclass(frozen=True)
class Supervised:
    """A sample with what the loss needs: a class (-1: unknown) and a weight for each pixel."""

    sample: Sample
    target: Int16[np.ndarray, "h w"]
    weights: Float32[np.ndarray, "h w"]


class Loaders:
    """Data loaders for one data set and one network.

    Parameters
    ----------
    tile
        Side of the network's input in training, in pixels. ``None`` chooses the largest fitting
        side whose output fits into the smallest image and is at most ``max_tile``, or where the
        image is too small for any, the smallest side. Images go on mirrored beyond their borders.
    batch_size
        Tiles per step and per device.
    steps_per_validation
        Batches between two validations; an epoch, to Lightning.
    num_workers
        Processes that prepare tiles. ``None``: none on a CPU, where a tile takes a few
        milliseconds and the step hundreds; up to 8 beside a GPU.
    seed
        Every tile is a function of ``seed`` and its number alone: the same with any number of
        workers, devices or restarts.
    """

    def __init__(
        self,
        dataset: Any,
        network: Network,
        weight_map: Any,
        augmentation: Callable[..., Any],
        data_dir: Path,
        tile: int | None = None,
        max_tile: int = 388,
        batch_size: int = 1,
        steps_per_validation: int = 100,
        num_workers: int | None = None,
        seed: int = 0,
    ) -> None:
        for name, value in (
            ("batch_size", batch_size),
            ("steps_per_validation", steps_per_validation),
        ):
            if value < 1:
                raise ValueError(f"loader.{name}={value}: give 1 or more.")
        self.dataset, self.network = dataset, network
        self.weight_map, self.augmentation = weight_map, augmentation
        self.tile, self.max_tile = tile, max_tile
        self.batch_size, self.steps_per_validation = batch_size, steps_per_validation
        self.num_workers = default_workers() if num_workers is None else num_workers
        self.seed = seed
        self.cache = cache_folder(data_dir) / "weight_maps"

    def train(
        self, batches_done: Callable[[], int] = lambda: 0, rank: int = 0, world: int = 1
    ) -> "TimedLoader[dict[str, Tensor]]":
        """Return batches of ``image`` (b, c, H, W), ``target`` and ``weights`` (b, h, w).

        ``batches_done`` tells, at the start of each pass, how many batches each of ``world``
        devices has had; the next tiles follow on these.
        """
        images = [self.supervise(sample) for sample in self.needed("train")]
        tile = self.training_tile([image.sample for image in images])
        view = self.augmentation(size=tile, output_size=self.network.output_size(tile))
        sampler = TileNumbers(
            self.batch_size * self.steps_per_validation,
            lambda: batches_done() * self.batch_size,
            rank,
            world,
        )
        return TimedLoader(
            Tiles(images, view, self.seed),
            batch_size=self.batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            worker_init_fn=outliving() if self.num_workers else None,
            pin_memory=torch.cuda.is_available(),
        )

    def whole(
        self, split: str, limit: int | None = None, rank: int = 0, world: int = 1
    ) -> DataLoader[dict[str, Any]]:
        """Whole labelled images of a split, one at a time, with ``labels`` and ``name``.

        Of the first ``limit`` images each of ``world`` processes gets its share. All get equally
        many batches, so that none waits for another: the last ones may be empty.
        """
        samples = self.labelled(split)[:limit]
        mine = [self.supervise(samples[place]) for place in share(len(samples), rank, world)]
        return DataLoader(Whole(mine, -(-len(samples) // world)), batch_size=None, shuffle=False)

    def supervised(self, split: str) -> list[Supervised]:
        """Return the labelled samples of a split with targets and weights."""
        return [self.supervise(sample) for sample in self.labelled(split)]

    def labelled(self, split: str) -> list[Sample]:
        """Return the labelled samples of a split."""
        return [sample for sample in self.dataset.split(split) if sample.labels is not None]

    def needed(self, split: str) -> list[Sample]:
        """Return the labelled samples of a split that training cannot do without.

        Raises
        ------
        ValueError
            If there is none.
        """
        samples = self.labelled(split)
        if not samples:
            purpose = "train" if split == "train" else "validate"
            raise ValueError(
                f"{self.dataset.name} has no labelled image to {purpose} on. Choose another "
                "dataset.fold."
            )
        return samples

    def check(self) -> None:
        """Raise what :meth:`train` and :meth:`whole` would, without the work of weight maps."""
        self.training_tile(self.needed("train"))
        self.needed("validation")

    def supervise(self, sample: Sample) -> Supervised:
        """Add target and weights, computed once per label image and then read from the cache."""
        if sample.labels is None:
            raise ValueError(f"{sample.name} has no labels.")
        recipe, labels, classes = self.weight_map, sample.labels, sample.classes
        target = training_target(labels, classes, recipe.separation)
        key = content_key(VERSION, repr(recipe), labels, *([] if classes is None else [classes]))
        # Large maps stay on disk, as large images do.
        large = sample.image.nbytes > 2**28
        weights = cached_array(self.cache, key, lambda: recipe(labels, classes), mmap=large)
        return Supervised(sample, target, weights)

    def training_tile(self, samples: Sequence[Sample]) -> int:
        """Return the input side of the tiles, given or chosen; smaller images go on mirrored.

        Raises
        ------
        ValueError
            If the network cannot take the side.
        """
        network = self.network
        valid = network.padding == "valid"
        # One pixel at the bottom of a padded network would see nothing but padding.
        least = 0 if valid else network.fitting_sizes(2 * network.step)[1]
        if self.tile is None:
            side = min(min(sample.image.shape[-2:]) for sample in samples)
            below, above = network.fitting_sizes(
                max(least, min(self.max_tile, side) + (2 * network.halo if valid else 0))
            )
            return above if below is None else below
        below, above = network.fitting_sizes(self.tile)
        if self.tile not in (below, above):
            raise ValueError(
                f"loader.tile={self.tile} does not fit the poolings of this network "
                f"(model.depth, model.padding={network.padding}). Take "
                f"{' or '.join(str(s) for s in (below, above) if s)}, or loader.tile=null."
            )
        if self.tile < least:
            raise ValueError(
                f"loader.tile={self.tile} leaves a single pixel behind the poolings of this "
                f"network. Take {least} or more, loader.tile=null, or a lower model.depth."
            )
        return self.tile


class Tiles(Dataset[dict[str, Tensor]]):
    """An endless numbered sequence of random tiles: number i is a function of i and the seed."""

    def __init__(self, images: Sequence[Supervised], view: Callable[..., Any], seed: int) -> None:
        self.images, self.view, self.seed = images, view, seed

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        # Each pass takes every image once, in an order of its own.
        turn, place = divmod(number, len(self.images))
        order = np.random.default_rng((self.seed, turn)).permutation(len(self.images))
        chosen = self.images[order[place]]
        seed = int(np.random.default_rng((self.seed, turn, place)).integers(2**31))
        image, target, weights = self.view(
            chosen.sample.image, chosen.target, chosen.weights, seed=seed
        )
        return {
            "image": torch.from_numpy(np.ascontiguousarray(image)),
            "target": torch.from_numpy(np.ascontiguousarray(target)).long(),
            "weights": torch.from_numpy(np.ascontiguousarray(weights)),
        }


class TimedLoader(DataLoader[Batch]):
    """A loader that counts, in ``waited``, the seconds in which its batches were waited for.

    >>> loader = TimedLoader([1, 2])
    >>> [batch.item() for batch in loader], loader.waited > 0
    ([1, 2], True)
    """

    waited = 0.0

    def __iter__(self) -> Iterator[Batch]:  # pyright: ignore[reportIncompatibleMethodOverride]
        start = time.perf_counter()
        for batch in super().__iter__():
            self.waited += time.perf_counter() - start
            yield batch
            start = time.perf_counter()


class TileNumbers(Sampler[int]):
    """The next ``count`` tile numbers that fall to one of ``world`` devices.

    Where they begin is asked anew at each pass, so that a resumed run sees the tiles that it
    would have seen, wherever it was stopped.

    >>> list(TileNumbers(4, lambda: 4, rank=1, world=2))
    [9, 11, 13, 15]
    """

    def __init__(self, count: int, done: Callable[[], int], rank: int = 0, world: int = 1) -> None:
        self.count, self.done, self.rank, self.world = count, done, rank, world

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        first = self.done() * self.world
        return iter(range(first + self.rank, first + self.count * self.world, self.world))


class Whole(Dataset[dict[str, Any]]):
    """Whole images with everything that the scores and pictures need; up to ``count``, nothing."""

    def __init__(self, images: Sequence[Supervised], count: int) -> None:
        self.images, self.count = images, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        if index >= len(self.images):
            return {}
        chosen = self.images[index]
        markers, labels = chosen.sample.markers, chosen.sample.labels
        marked = labels if markers is None else markers
        return {
            "name": chosen.sample.name,
            "by_class": chosen.sample.classes is not None,
            "image": torch.from_numpy(np.array(chosen.sample.image)),
            "labels": torch.from_numpy(np.array(labels)),
            "markers": torch.from_numpy(np.array(marked)),
            "target": torch.from_numpy(np.array(chosen.target)).long(),
            "weights": torch.from_numpy(np.array(chosen.weights)),
        }
