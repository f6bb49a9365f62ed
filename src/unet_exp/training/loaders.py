"""Data loaders: random tiles for training, whole images for validation and evaluation."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from unet_exp.datasets.cache import cache_folder
from unet_exp.datasets.resized import resized_sample
from unet_exp.datasets.sample import Sample
from unet_exp.images.resampling import resized_length
from unet_exp.models.network import Network
from unet_exp.targets.target import Target
from unet_exp.training.ranks import share
from unet_exp.training.supervision import LabelledImages, Supervised, Supervision
from unet_exp.training.tiles import TileNumbers, Tiles, TimedLoader, tile_side
from unet_exp.training.workers import default_workers, outliving


class Loaders:
    """Data loaders for one data set and one network.

    Parameters
    ----------
    tile
        Side of the network's input in training, in pixels. ``None`` chooses the largest fitting
        side whose output fits into the smallest image and is at most ``max_tile``. If the image is
        too small for any, it is the smallest fitting side, and images are mirrored at their edges.
    max_tile
        Largest side of the tile's output if ``tile`` is None.
    batch_size
        Tiles per step and per device.
    steps_per_validation
        Batches between two validations; Lightning calls this an epoch.
    num_workers
        Processes that prepare tiles. ``None`` means none on a CPU, where a tile takes a few
        milliseconds and a step hundreds, and up to 8 with a GPU.
    seed
        Every tile depends only on ``seed`` and its number. So tiles are the same with any number of
        workers, devices or restarts.
    scale
        Factor by which images are enlarged for the network (`inference.scale`). Tiles are cut from
        enlarged images. Whole images keep their size. Their targets and weights are enlarged,
        because they are compared with the network's output.
    """

    def __init__(
        self,
        dataset: Any,
        network: Network,
        target: Target,
        weight_map: Any,
        augmentation: Callable[..., Any],
        data_dir: Path,
        tile: int | None = None,
        max_tile: int = 388,
        batch_size: int = 1,
        steps_per_validation: int = 100,
        num_workers: int | None = None,
        seed: int = 0,
        scale: float = 1.0,
    ) -> None:
        for name, value in (
            ("batch_size", batch_size),
            ("steps_per_validation", steps_per_validation),
        ):
            if value < 1:
                raise ValueError(f"loader.{name}={value}: give 1 or more.")
        self.dataset, self.network, self.augmentation = dataset, network, augmentation
        self.tile, self.max_tile = tile, max_tile
        self.batch_size, self.steps_per_validation = batch_size, steps_per_validation
        self.num_workers = default_workers() if num_workers is None else num_workers
        self.seed, self.scale = seed, scale
        self.supervise = Supervision(target, weight_map, cache_folder(data_dir) / "weight_maps")

    def train(
        self, batches_done: Callable[[], int] = lambda: 0, rank: int = 0, world: int = 1
    ) -> TimedLoader[dict[str, Tensor]]:
        """Return batches of ``image`` (b, c, H, W), ``target`` (b, ..., h, w) and ``weights``.

        At the start of each pass, ``batches_done`` returns the number of batches that each of
        ``world`` devices has had. The loader continues with the next tiles.
        """
        tile = self.training_tile()
        images = self.supervised("train")
        augment = self.augmentation(size=tile, output_size=self.network.output_size(tile))
        sampler = TileNumbers(
            self.batch_size * self.steps_per_validation,
            lambda: batches_done() * self.batch_size,
            rank,
            world,
        )
        return TimedLoader(
            Tiles(images, augment, self.seed, self.supervise.target),
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
        """Return the labelled images of a split, one at a time.

        Each of ``world`` processes gets its share of the first ``limit`` images. All get the same
        number of batches, so that none waits for another. The last batches may be empty.
        """
        samples = self.labelled(split)[:limit]
        mine = [self.whole_image(samples[index]) for index in share(len(samples), rank, world)]
        images = LabelledImages(mine, -(-len(samples) // world))
        return DataLoader(images, batch_size=None, shuffle=False)

    def shown(self, sample: Sample) -> Sample:
        """Return a sample in the size that the network sees."""
        return sample if self.scale == 1 else resized_sample(sample, self.scale)

    def whole_image(self, sample: Sample) -> Supervised:
        """Return a sample in its own size, with target and weights in the size of the output."""
        supervised = self.supervise(self.shown(sample))
        if self.scale == 1:
            return supervised
        return replace(supervised, sample=sample, classes=self.supervise.encode(sample).classes)

    def shown_sizes(self, split: str) -> list[tuple[int, int]]:
        """Return rows and columns of the labelled images of a split, as the network sees them."""
        sizes = (sample.image.shape[-2:] for sample in self.required(split))
        return [(resized_length(h, self.scale), resized_length(w, self.scale)) for h, w in sizes]

    def supervised(self, split: str) -> list[Supervised]:
        """Return the labelled samples of a split as the network sees them, with their targets."""
        return [self.supervise(self.shown(sample)) for sample in self.labelled(split)]

    def labelled(self, split: str) -> list[Sample]:
        """Return the labelled samples of a split."""
        return [sample for sample in self.dataset.split(split) if sample.labels is not None]

    def required(self, split: str) -> list[Sample]:
        """Return the labelled samples of a split that must have some.

        Raises ValueError if there is none.
        """
        samples = self.labelled(split)
        if not samples:
            if split == "test":
                raise ValueError(
                    f"{self.dataset.name} has no labelled image to test on. Score the validation "
                    "images with Trainer.validate."
                )
            purpose = "train" if split == "train" else "validate"
            raise ValueError(
                f"{self.dataset.name} has no labelled image to {purpose} on. Choose another "
                "dataset.fold."
            )
        return samples

    def check(self) -> None:
        """Raise the errors of :meth:`train` and :meth:`whole` before any weight map is computed."""
        self.training_tile()
        self.required("validation")

    def training_tile(self) -> int:
        """Return the input side of the tiles: see :func:`tile_side`."""
        smallest = min(map(min, self.shown_sizes("train")))
        return tile_side(self.network, self.tile, self.max_tile, smallest)
