"""A step of training, as the command trains, beside the least that it takes.

Ours is the training of ``train.py``: Lightning, loader, scheduler, EMA of the weights, losses,
checks, live progress, signals, and W&B offline. Compared: a bare PyTorch loop that trains the same,
with the same network, loss, optimiser and precision, batches from a loader of its own, and torch's
EMA update as the training has it, counted in and not: with it the ratio is what Lightning, logging
and checks add. And MONAI's BasicUNet of the same depth, widths and norm in the same loop without
EMA. Its tile has the side that comes nearest to our operations, and what
is left of a difference is divided out: the ratio is of seconds for each operation. Operations are
those that torch.utils.flop_counter knows, forward and backward. Nothing loads in other processes.
Steps of all three take turns within one process, in changing order, since each finds its memory
as the one before left it. A round is the mean of some steps. Validation is left out. All cores.
"""

import contextlib
import copy
import io
import tempfile
import time
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.composing import composed, dataset
from benchmarks.measuring import Line, Mark, milliseconds, over, seconds, threads
from unet_exp.configuration.objects import build
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.preparation import prepare
from unet_exp.training.assembly import build_dataset, build_loaders
from unet_exp.training.datamodule import DataModule
from unet_exp.training.devices import core_count
from unet_exp.training.ema import WeightEMA
from unet_exp.training.loaders import Loaders
from unet_exp.training.progress import ProgressBar
from unet_exp.training.stopping import Stopping
from unet_exp.training.trainer import build_trainer
from unet_exp.training.waiting import DataWait

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own imports
    from monai.networks.nets import BasicUNet

#: Sides of MONAI's tiles are multiples of it: four poolings.
GRID = 16


@dataclass(frozen=True)
class Case:
    """A network of ours, and how many of its steps are a round."""

    overrides: tuple[str, ...]
    base_channels: int
    norm: tuple[str, dict[str, Any]] | None
    steps: int
    #: Steps before the first round.
    before: int


CASES = {
    "small net": Case(("model=unet_small",), 16, ("batch", {}), 10, 5),
    "article's net": Case(("model=unet", "loader.tile=572", "loader.batch_size=1"), 64, None, 2, 2),
}
QUICK = {
    "small net": Case(
        ("model=unet_small", "model.base_channels=2", "loader.tile=64"), 2, ("batch", {}), 2, 1
    )
}


class Bare:
    """Training without a framework: ``step()`` takes a batch of its loader."""

    def __init__(
        self,
        network: nn.Module,
        loss: nn.Module,
        optimizer: Any,
        loaders: Loaders,
        half: bool,
    ) -> None:
        self.network, self.loss, self.half = network, loss, half
        self.optimizer = optimizer(network.parameters())
        self.batches = iter(loaders.train())

    def step(self) -> None:
        batch = next(self.batches)
        self.optimizer.zero_grad()
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            loss = self.loss(self.network(image), batch["target"], batch["weights"])
        loss.backward()
        self.optimizer.step()


class Beside(Callback):
    """Time the steps of a training; after each, time one of each of the others."""

    def __init__(self, bare: Bare, monai: Bare) -> None:
        self.bare, self.monai = bare, monai
        self.ema = AveragedModel(
            bare.network, multi_avg_fn=WeightEMA(0.995).update, use_buffers=True
        )
        self.times: dict[str, list[float]] = {n: [] for n in ("ours", "bare", "ema", "monai")}
        self.since = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.since = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.times["ours"].append(time.perf_counter() - self.since)
        # As a bare loop has it.
        torch.use_deterministic_algorithms(False)
        if trainer.global_step % 2:
            self.time_bare()
            self.time_monai()
        else:
            self.time_monai()
            self.time_bare()
        torch.use_deterministic_algorithms(True, warn_only=True)
        self.since = time.perf_counter()

    def time_bare(self) -> None:
        self.times["bare"].append(seconds(self.bare.step))
        self.times["ema"].append(seconds(partial(self.ema.update_parameters, self.bare.network)))

    def time_monai(self) -> None:
        self.times["monai"].append(seconds(self.monai.step))


@dataclass(frozen=True)
class Measured:
    """Seconds of each step, and the operations of one, of "ours", "bare" and "monai".

    Those of the EMA update, "ema", follow on "bare".
    """

    seconds: dict[str, list[float]]
    operations: dict[str, int]
    tiles: dict[str, int]


def lines(arguments: Namespace) -> Iterator[Line]:
    threads(core_count())
    name, images = dataset(arguments.data, arguments.quick)
    for title, case in (QUICK if arguments.quick else CASES).items():
        count = case.before + arguments.rounds * case.steps
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            found = measure(Path(folder), arguments.data, images, case, count)
        taken = {
            key: np.reshape(every[case.before :], (-1, case.steps)).mean(1)
            for key, every in found.seconds.items()
        }
        each = {key: taken[key] / found.operations[key] for key in ("ours", "monai")}
        told, where = milliseconds(taken["ours"]), f"{title}, {name}, tile {found.tiles['ours']}"
        same = over(taken["ours"], taken["bare"] + taken["ema"])
        yield Line(where, told, "ours / bare loop with EMA", same, Mark(at_most=1.03))
        least = over(taken["ours"], taken["bare"])
        yield Line(where, told, "ours / bare loop without EMA", least)
        mine, theirs = (found.operations[key] / 1e9 for key in ("ours", "monai"))
        compared = f"MONAI, tile {found.tiles['monai']}, {theirs:,.0f} to {mine:,.0f} GFLOP / ours"
        yield Line(where, told, compared, over(each["monai"], each["ours"]), Mark(at_least=1))


def measure(folder: Path, data: Path, images: Sequence[str], case: Case, count: int) -> Measured:
    """Train for ``count`` steps, beside the two others."""
    cfg = composed(
        data, *images, *case.overrides, "trainer=cpu", "loader.num_workers=0",
        "logger.mode=offline", "pictures.images=0",
        f"loader.steps_per_validation={count + 1}", f"trainer.max_steps={count}",
        "trainer.limit_val_batches=1",
    )  # fmt: skip
    source = build_dataset(cfg)
    training = prepare(cfg, source, RunFolder(folder))
    module, tile = training.module, training.loaders.training_tile()
    batch = cfg.loader.batch_size
    features = (*(case.base_channels * 2**level for level in range(5)), case.base_channels)
    peer: Any = BasicUNet(2, 1, 2, features, norm=case.norm)  # pyright: ignore[reportArgumentType]
    peer.to(memory_format=torch.channels_last)
    ours, unit = operations(module.network, batch, tile), operations(peer, batch, 4 * GRID)
    side = GRID * round(4 * (ours / unit) ** 0.5)
    padded = copy.deepcopy(cfg)
    padded.model.padding, padded.loader.tile = "same", side
    its_loaders = build_loaders(padded, source, build(padded.model))

    logger = build(cfg.logger)(folder=folder, run_id="benchmark", config=training.config)
    # On a terminal, the bar moves.
    screen = Console(file=io.StringIO(), force_terminal=True)
    bar = ProgressBar(training.monitor, RunFolder(folder), screen)
    callbacks = [bar if isinstance(c, ProgressBar) else c for c in training.callbacks]
    with Stopping(folder) as stopping:
        callbacks += [stopping, DataWait()]
        trainer = build_trainer(folder, callbacks, [logger], build(cfg.trainer))
        rest = module.loss, module.optimizer
        half = str(trainer.precision).startswith("bf16")
        copied = copy.deepcopy(module.network)
        beside = Beside(
            Bare(copied, *rest, training.loaders, half), Bare(peer, *rest, its_loaders, half)
        )
        trainer.callbacks.append(beside)  # pyright: ignore[reportAttributeAccessIssue]
        trainer.fit(module, DataModule(training.loaders))
    logger.finish(failed=False)
    counted = {"ours": ours, "monai": operations(peer, batch, side)}
    return Measured(beside.times, counted, {"ours": tile, "monai": side})


def operations(network: nn.Module, batch: int, side: int) -> int:
    """Multiplications and additions of a step, forward and backward."""
    network = copy.deepcopy(network)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(batch, 1, side, side)).sum().backward()
    return counter.get_total_flops()
