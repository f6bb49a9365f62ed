"""Augmentation of an image with its labels and weights: shift, rotation, elastic deformation.

Each row compares the time for one tile. "512 -> 512" means: input and output have 512 pixels a
side. "Cubic" and "linear" are the interpolation of the image.

- Ours is ``conf/augmentation/paper.yaml``. It also changes the grey values, which the other
  packages do not do here. The rows "no grey values" leave this out, so that the work is equal.
- albumentations: ElasticTransform with its default sigma, without rotation. "approximate" truncates
  the Gaussian filter, which makes the deformation less smooth.
- MONAI: Rand2DElasticd with the same grid, displacements and rotation as ours.
- batchgenerators: augment_spatial with rotation and with its default sigma and alpha.
- cv2.remap alone: OpenCV interpolates the three arrays at coordinates that are computed beforehand.
  This is the lower bound.

All mirror the image at its border and use the nearest neighbour for labels. Ours and MONAI
interpolate weights linearly. albumentations and batchgenerators use one interpolation for image and
weights. For 572 -> 388, the other packages make tiles of 572 pixels of all three arrays, and
albumentations starts from an image of 572 pixels.

All run on one thread. Each time is the mean of several tiles. The process keeps freed memory
(`unet_exp.inference.freed_memory`). Without this, the time for arrays of a megabyte depends on the
state of the heap: 3.7 ms if it has free pages, 4.7 ms if it needs new ones.
"""

import math
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
import torch

from benchmarks.measuring import Line, Mark, alternate, milliseconds, over, threads
from benchmarks.weight_map import made_up
from unet_exp.augmentations.grey_values import GreyValues
from unet_exp.augmentations.paper import Augmentation
from unet_exp.augmentations.random_tile import RandomTile
from unet_exp.augmentations.tiles import INTERPOLATIONS, Warp
from unet_exp.geometry import mirror_pad
from unet_exp.inference.freed_memory import keep_freed_memory
from unet_exp.weight_maps.border import border_weight_map

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
Call = Callable[[], tuple[Any, ...]]

STD, GRID = 10.0, 3
#: Seeds of the tiles. Each time is the mean over them.
TILES = range(8)


def arrays(data: Path, side: int) -> tuple[str, Arrays]:
    """Image (c, h, w) of mean 0 and variance 1, labels and weights; real if ``data`` has them."""
    folder = data / "DIC-C2DH-HeLa"
    paths = folder / "01" / "t040.tif", folder / "01_ST" / "SEG" / "man_seg040.tif"
    if side == 512 and all(path.exists() for path in paths):
        name = "HeLa 01/040"
        grey, labels = (tifffile.imread(path).astype(np.float32) for path in paths)
    else:
        name, labels = "synthetic", made_up(side, 14)
        noise = np.random.default_rng(0).normal(size=labels.shape)
        grey = cv2.GaussianBlur((labels > 0) + noise, (0, 0), 2)
    image = ((grey - grey.mean()) / grey.std()).astype(np.float32)[None]
    weights = border_weight_map(labels.astype(np.int32))
    return name, (image, labels.astype(np.int16), weights.astype(np.float32))


def albumentations(given: Arrays, size: int, interpolation: str, approximate: bool = False) -> Call:
    import albumentations as A

    # albumentations divides its noise by the largest value, about 5 standard deviations. The blur
    # then multiplies the standard deviation by 1 / (2 sqrt(pi) sigma).
    sigma = 50
    elastic = A.ElasticTransform(
        alpha=5 * STD * 2 * math.sqrt(math.pi) * sigma,
        sigma=sigma,
        interpolation=INTERPOLATIONS[interpolation],  # pyright: ignore[reportArgumentType]
        border_mode=cv2.BORDER_REFLECT_101,
        approximate=approximate,
        p=1.0,
    )
    compose = A.Compose([elastic], additional_targets={"weights": "image"})
    room = size - given[1].shape[0]
    image, labels, weights = (
        np.ascontiguousarray(mirror_pad(a, room // 2, room // 2, room // 2, room // 2))
        for a in (given[0][0], *given[1:])
    )
    return lambda: tuple(compose(image=image, mask=labels, weights=weights).values())


def monai(given: Arrays, size: int, interpolation: str) -> Call:
    from monai.transforms import Rand2DElasticd

    names = ("image", "labels", "weights")
    transform = Rand2DElasticd(
        names,
        spacing=size / (GRID - 1),
        magnitude_range=(STD, STD),
        spatial_size=size,
        prob=1.0,
        rotate_range=math.pi,
        mode=("bicubic" if interpolation == "cubic" else "bilinear", "nearest", "bilinear"),
        padding_mode="reflection",
    )
    planes: Any = {
        name: torch.from_numpy(a.reshape(1, *a.shape[-2:]))
        for name, a in zip(names, given, strict=True)
    }
    return lambda: tuple(transform(planes).values())


def batchgenerators(given: Arrays, size: int, interpolation: str) -> Call:
    from batchgenerators.augmentations.spatial_transformations import augment_spatial

    image, labels, weights = given
    data, seg = np.stack([image[0], weights])[None], labels[None, None]

    def call() -> tuple[np.ndarray, ...]:
        augmented: Any = augment_spatial(
            data,
            seg,
            (size, size),
            do_scale=False,
            random_crop=False,
            order_data=3 if interpolation == "cubic" else 1,
            border_mode_data="mirror",
            border_mode_seg="mirror",
        )
        planes, shown = augmented
        return planes[0, 0], shown[0, 0], planes[0, 1]

    return call


def ours(
    given: Arrays, size: int, output: int, interpolation: str, grey_values: bool
) -> Callable[[], object]:
    transforms = [GreyValues()] if grey_values else []
    augment = Augmentation(size, output, interpolation=interpolation, transforms=transforms)
    return repeated(lambda seed: augment(*given, seed=seed), TILES)


def floor(given: Arrays, size: int, output: int, interpolation: str) -> Callable[[], object]:
    """Only the interpolation of the same tiles."""
    image, labels, weights = given
    geometry = RandomTile(size, output, interpolation=interpolation)
    inner = slice(geometry.margin, size - geometry.margin)
    kinds = (INTERPOLATIONS[interpolation], cv2.INTER_NEAREST, cv2.INTER_LINEAR)
    tiles = []
    for seed in TILES:
        tile = geometry.draw(len(labels), len(labels[0]), np.random.default_rng(seed))
        if not isinstance(tile, Warp):
            raise TypeError("Tiles of whole pixels need no remap.")
        parts = [np.asarray(a[tile.rows][:, tile.columns]) for a in (image[0], labels, weights)]
        row, column = tile.coordinates
        middle = np.ascontiguousarray(column[inner, inner]), np.ascontiguousarray(row[inner, inner])
        tiles.append(list(zip(parts, ((column, row), middle, middle), kinds, strict=True)))

    def show(tile: list[tuple[np.ndarray, tuple[np.ndarray, np.ndarray], int]]) -> list[np.ndarray]:
        return [
            cv2.remap(part, *maps, kind, borderMode=cv2.BORDER_REFLECT_101)
            for part, maps, kind in tile
        ]

    augment = Augmentation(size, output, interpolation=interpolation)
    for seed, tile in zip(TILES, tiles, strict=True):
        for one, other in zip(augment(*given, seed=seed), show(tile), strict=True):
            np.testing.assert_array_equal(one.reshape(other.shape), other)
    return repeated(show, tiles)


def repeated(function: Callable[[Any], object], values: Iterable[Any]) -> Callable[[], None]:
    """Call ``function`` with each value. As in training, no result is kept."""

    def call() -> None:
        for value in values:
            function(value)

    return call


def lines(arguments: Namespace) -> Iterator[Line]:
    threads(1)
    keep_freed_memory()
    warnings.filterwarnings("ignore", module="monai")
    if arguments.quick:
        given = arrays(arguments.data, 64)[1]
        yield from compare("synthetic, 64 -> 64", given, 64, 64, "cubic", True, rounds=1)
        return
    name, given = arrays(arguments.data, 512)
    for size, output, interpolation, grey_values in (
        (512, 512, "cubic", True),
        (512, 512, "cubic", False),
        (512, 512, "linear", True),
        (572, 388, "cubic", True),
    ):
        case = f"{name}, {size} -> {output}, {interpolation}"
        case += "" if grey_values else ", no grey values"
        shape = size, output, interpolation, grey_values
        yield from compare(case, given, *shape, rounds=arguments.rounds)


def compare(
    case: str,
    given: Arrays,
    size: int,
    output: int,
    interpolation: str,
    grey_values: bool,
    rounds: int,
) -> Iterator[Line]:
    peers = {
        "albumentations": (albumentations(given, size, interpolation), 8),
        "albumentations, approximate": (albumentations(given, size, interpolation, True), None),
        "MONAI": (monai(given, size, interpolation), 20),
        "batchgenerators": (batchgenerators(given, size, interpolation), 25),
    }
    for call, _ in peers.values():
        np.testing.assert_array_equal([plane.shape[-2:] for plane in call()], [(size, size)] * 3)
    functions = {
        "ours": ours(given, size, output, interpolation, grey_values),
        "floor": floor(given, size, output, interpolation),
    }
    functions |= {
        name: repeated(lambda _, call=call: call(), TILES) for name, (call, _) in peers.items()
    }
    times = {
        name: [seconds / len(TILES) for seconds in taken]
        for name, taken in alternate(functions, rounds).items()
    }
    taken = milliseconds(times["ours"])
    for name, (_, mark) in peers.items():
        goal = Mark(at_least=mark) if mark else None
        yield Line(case, taken, f"{name} / ours", over(times[name], times["ours"]), goal)
    ratios = over(times["ours"], times["floor"])
    yield Line(case, taken, "ours / cv2.remap alone", ratios, Mark(at_most=1.4))
