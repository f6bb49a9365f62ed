"""Rate at which batches of augmented tiles are loaded for training, in samples a second.

A sample is a tile of image, target and weights. The comparison is MONAI's CacheDataset and
DataLoader with similar transforms, and with the same tile, batch size and number of workers:

- MONAI, one transform: one Rand2DElasticd shifts, rotates and deforms. This is MONAI's fastest way.
- MONAI, three transforms: RandSpatialCropd, RandRotated and Rand2DElasticd, as in its tutorials.

Both also have RandFlipd and change the grey values. "Precomputed tiles" is torch's DataLoader over
tiles in memory. It is the upper bound, because it only makes and transfers batches.

Both sides keep the images in memory. The time is that of one pass, from its start to its last
batch. The images are HeLa if the data folder has it, and synthetic otherwise. Each process uses one
thread.
"""

import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler

from benchmarks.composing import composed, dataset
from benchmarks.measuring import Line, Mark, alternate, over, spread, threads
from unet_exp.configuration.objects import build
from unet_exp.training.assembly import build_dataset, build_loaders
from unet_exp.training.loaders import Loaders

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports
    from monai import data as monai_data
    from monai import transforms as monai

KEYS = ("image", "target", "weights")
#: Interpolation of image, target and weights, as in our augmentation.
MODES = ("bicubic", "nearest", "bilinear")


class Ready(Dataset[dict[str, torch.Tensor]]):
    """The same few precomputed tiles, repeated."""

    def __init__(self, tiles: Sequence[dict[str, torch.Tensor]], count: int) -> None:
        self.tiles, self.count = tiles, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        return self.tiles[number % len(self.tiles)]


def one_warp(tile: int, room: float) -> list[Any]:
    return [
        monai.Rand2DElasticd(
            KEYS,
            spacing=tile / 2,  # a control grid of 3 x 3 and its margin
            magnitude_range=(10, 10),
            prob=1,
            rotate_range=np.pi,
            translate_range=room,
            spatial_size=tile,
            mode=MODES,
            padding_mode="reflection",
        )
    ]


def chain(tile: int) -> list[Any]:
    return [
        monai.RandSpatialCropd(KEYS, tile, random_size=False),
        monai.RandRotated(
            KEYS, range_x=np.pi, prob=1, mode=("bilinear", "nearest", "bilinear"),
            padding_mode="reflection",
        ),
        monai.Rand2DElasticd(
            KEYS, spacing=tile / 2, magnitude_range=(10, 10), prob=1, mode=MODES,
            padding_mode="reflection",
        ),
    ]  # fmt: skip


def after(moves: Sequence[Any]) -> list[Any]:
    """Add the transforms that both recipes share: flips and grey values."""
    return [
        *moves,
        monai.RandFlipd(KEYS, prob=0.5, spatial_axis=1),
        monai.RandAdjustContrastd("image", prob=1, gamma=(0.75, 1.25), retain_stats=False),
        monai.RandScaleIntensityd("image", factors=0.25, prob=1),
        monai.RandShiftIntensityd("image", offsets=0.25, prob=1),
    ]


def peer(loaders: Loaders, moves: Sequence[Any], samples: int, workers: int) -> Any:
    """MONAI's loader of the same images, targets and weight maps."""
    found = loaders.supervised("train")
    items = [
        {"image": s.sample.image, "target": s.target[None], "weights": s.weights[None]}
        for s in found
    ]
    kept = monai.EnsureTyped(KEYS, dtype=torch.float32, track_meta=False)
    recipe = monai.Compose([kept, *after(moves)])
    cached = monai_data.CacheDataset(items, recipe, cache_rate=1, progress=False)
    # One long pass, because starting a pass takes time.
    sampler = RandomSampler(cached, replacement=True, num_samples=samples)
    return monai_data.DataLoader(
        cached,
        batch_size=loaders.batch_size,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def passing(loader: Any) -> Callable[[], None]:
    """A whole pass that takes each batch as soon as it is ready."""

    def go() -> None:
        for _ in loader:
            pass

    return go


def check(batches: Sequence[dict[str, torch.Tensor]], batch_size: int, tile: int) -> None:
    """Stop unless all batches have the same shapes."""
    for batch in batches:
        np.testing.assert_equal(batch["image"].shape, (batch_size, 1, tile, tile))
        for name in ("target", "weights"):
            np.testing.assert_equal(batch[name].numel(), batch_size * tile**2)


def lines(arguments: Namespace) -> Iterator[Line]:
    threads(1)
    monai_data.set_track_meta(False)  # faster than with metadata
    name, images = dataset(arguments.data, arguments.quick)
    # Ours loads more batches, so that a pass takes about a second on both sides.
    passes, theirs = (2, 2) if arguments.quick else (160, 16)
    for workers in (0,) if arguments.quick else (2, 0):
        cfg = composed(
            arguments.data, *images, f"loader.num_workers={workers}",
            f"loader.steps_per_validation={passes}",
            *(["loader.tile=64"] if arguments.quick else []),
        )  # fmt: skip
        source = build_dataset(cfg)
        network = build(cfg.model)
        loaders = build_loaders(cfg, source, network)
        samples = loaders.required("train")
        tile, batch_size = loaders.training_tile(), loaders.batch_size
        room = (min(samples[0].image.shape[-2:]) - tile) / 2
        ours = loaders.train()
        ready = Ready([ours.dataset[number] for number in range(8)], passes * batch_size)
        all_of_them: dict[str, Any] = {
            "ours": ours,
            "floor": DataLoader(
                ready,
                batch_size=batch_size,
                num_workers=workers,
                persistent_workers=workers > 0,
            ),
            "one transform": peer(loaders, one_warp(tile, room), theirs * batch_size, workers),
            "three transforms": peer(loaders, chain(tile), theirs * batch_size, workers),
        }
        check([next(iter(loader)) for loader in all_of_them.values()], batch_size, tile)
        times = alternate(
            {key: passing(loader) for key, loader in all_of_them.items()}, arguments.rounds
        )
        recipes = ("one transform", "three transforms")
        counts = {"ours": passes, "floor": passes, **dict.fromkeys(recipes, theirs)}
        rates = {
            key: [counts[key] * batch_size / taken for taken in values]
            for key, values in times.items()
        }
        case = f"{name}, tile {tile}, batch {batch_size}, {workers} workers"
        told = f"{spread(rates['ours'])} samples/s"
        for recipe in recipes:
            ratios = over(rates["ours"], rates[recipe])
            goal = Mark(at_least=5) if workers else None
            yield Line(case, told, f"ours / MONAI, {recipe}", ratios, goal)
        yield Line(case, told, "ours / precomputed tiles", over(rates["ours"], rates["floor"]))
