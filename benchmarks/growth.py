"""How the time grows with the number of pixels, objects, workers or channels.

The time is measured at several sizes, and a power law is fitted: time = constant * size^exponent.
An exponent of 1 means that the time grows in proportion, 0 that it does not grow, and -1 that it is
halved when the size doubles. Pixels are all pixels of the image or tile. The network is
model=unet_small. For workers, the time is that of loading 160 batches. A training step is forward,
loss and backward. Weight map, augmentation and loading use one thread in each process; the rest
uses all threads.
"""

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.composing import composed, dataset
from benchmarks.measuring import Line, Mark, alternate, exponent, threads
from benchmarks.weight_map import made_up
from unet_exp.augmentations.paper import Augmentation
from unet_exp.configuration.objects import build
from unet_exp.inference.overlap_tile import overlap_tile
from unet_exp.models.unet import UNet
from unet_exp.training.assembly import build_dataset, build_loaders
from unet_exp.training.trainer import best_precision
from unet_exp.weight_maps.border import border_weight_map


def lines(arguments: Namespace) -> Iterator[Line]:
    quick, rounds = arguments.quick, min(arguments.rounds, 3)
    every = torch.get_num_threads()
    threads(1)
    proportional, none = Mark(at_most=1.1), Mark(at_most=0.1)

    sides = (64, 128) if quick else (256, 512, 1024, 2048)
    maps = {side: made_up(side, side * side // 2000) for side in sides}
    functions = {side * side: partial(border_weight_map, maps[side]) for side in sides}
    yield line("weight map, pixels", functions, rounds, proportional)
    counts = (4, 16) if quick else (20, 100, 500, 2000)
    maps = {count: made_up(sides[-1] // 2, count) for count in counts}
    functions = {count: partial(border_weight_map, maps[count]) for count in counts}
    yield line("weight map, objects", functions, rounds, none)

    functions = {side * side: tile(side) for side in sides[:3]}
    yield line("augmentation, pixels", functions, rounds, proportional)

    loaders = {count: passes(count, arguments) for count in (1, 2)}
    yield line("loading, workers", loaders, rounds, None)

    threads(every)
    network = small(4 if quick else 16).eval()
    images = {side: torch.randn(1, side, side) for side in sides}
    functions = {side * side: partial(segment, network, images[side]) for side in sides}
    yield line("inference, pixels", functions, rounds, proportional)

    base, side = (2, 64) if quick else (16, 256)
    for name, steps in (
        ("pixels", {s * s: step(small(base), 1, s) for s in (side // 2, side, 2 * side)}),
        ("batch", {n: step(small(base), n, side) for n in (1, 2, 4)}),
        ("depth", {d: step(small(base, depth=d), 1, side) for d in (1, 2, 3, 4, 5)}),
        ("base_channels", {c: step(small(c), 1, side) for c in (base // 2, base, 2 * base)}),
    ):
        mark = proportional if name in ("pixels", "batch", "depth") else Mark(at_most=2.1)
        yield line(f"training step, {name}", steps, rounds, mark)


def passes(workers: int, arguments: Namespace) -> Callable[[], object]:
    """A pass of the training's loader."""
    _, images = dataset(arguments.data, arguments.quick)
    steps = 2 if arguments.quick else 160
    tile = ["loader.tile=64"] if arguments.quick else []
    cfg = composed(
        arguments.data, *images, *tile,
        f"loader.num_workers={workers}", f"loader.steps_per_validation={steps}",
    )  # fmt: skip
    loader = build_loaders(cfg, build_dataset(cfg), build(cfg.model)).train()
    return lambda: sum(1 for _ in loader)


def small(base_channels: int, depth: int = 4) -> UNet:
    return UNet(depth=depth, base_channels=base_channels, padding="same", norm="batch")


def tile(side: int) -> Callable[[], object]:
    """Draw a new tile of a whole image at each call."""
    augment, numbers = Augmentation(size=side, output_size=side), np.random.default_rng(0)
    image = numbers.normal(size=(1, side, side)).astype(np.float32)
    target, weights = (image[0] > 0).astype(np.int16), np.abs(image[0])
    return lambda: augment(image, target, weights, seed=int(numbers.integers(2**31)))


@torch.inference_mode()
def segment(network: UNet, image: torch.Tensor) -> torch.Tensor:
    return overlap_tile(network, image)


def step(network: UNet, batch: int, side: int) -> Callable[[], object]:
    """Forward, loss and backward into new gradients, in training's precision on this machine."""
    network.train().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    image = torch.randn(batch, 1, side, side).contiguous(memory_format=torch.channels_last)
    target = torch.randint(0, 2, (batch, side, side))
    half = best_precision("cpu") != "32-true"

    def run() -> None:
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(image)
        cross_entropy(logits.float(), target).backward()

    return run


def line(
    case: str, functions: Mapping[int, Callable[[], object]], rounds: int, mark: Mark | None
) -> Line:
    """Time the same function at several sizes, and fit the exponent in each round."""
    times = alternate({str(size): run for size, run in functions.items()}, rounds)
    each = zip(*times.values(), strict=True)
    exponents = [exponent(list(functions), taken) for taken in each]
    told = ", ".join(f"{1000 * np.median(taken):.3g}" for taken in times.values())
    sizes = ", ".join(f"{size:,}" for size in functions)
    return Line(case, f"{told} ms", f"exponent over {sizes}", exponents, mark)
