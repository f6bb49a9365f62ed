"""Time for one step of training with ``train.py``.

Ours is the complete training: Lightning, data loading, learning-rate schedule, exponential moving
average of the weights (EMA), loss, checks, progress bar, signal handling, and W&B offline. It is
compared with

- a plain PyTorch loop with the same network, loss, optimiser and precision, and with a loader of
  its own. With the EMA update, the ratio shows the overhead of Lightning, logging and checks.
- MONAI's BasicUNet of the same depth, widths and norm, in the same plain loop without EMA. Its tile
  has the side whose number of operations is nearest to ours. The ratio is of seconds for each
  operation, so that the remaining difference does not matter. Operations are counted by
  torch.utils.flop_counter, forward and backward.

The three alternate step by step in one process, and their order changes, because each step finds
the memory as the previous one left it. Tiles are loaded in the same process. A round is the mean of
several steps. Validation is not included. All cores are used.
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
from torch import nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.composing import composed, dataset
from benchmarks.measuring import Line, Mark, milliseconds, over, seconds, threads
from unet_exp.configuration.objects import build
from unet_exp.records.run_folder import RunFolder
from unet_exp.runs.preparation import prepare
from unet_exp.screen import Console
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

#: The side of MONAI's tiles is a multiple of this, because of four poolings.
GRID = 16


@dataclass(frozen=True)
class Case:
    """One of our networks, and the number of steps in a round."""

    overrides: tuple[str, ...]
    base_channels: int
    norm: tuple[str, dict[str, Any]] | None
    steps: int
    #: Warm-up steps before the first round.
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
    """A plain training loop; ``step()`` trains on the next batch of its loader."""

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
    """Time each step of a training, and after it one step of each other loop."""

    def __init__(self, bare: Bare, monai: Bare) -> None:
        self.bare, self.monai = bare, monai
        self.ema = AveragedModel(
            bare.network, multi_avg_fn=WeightEMA(0.995).update, use_buffers=True
        )
        self.times: dict[str, list[float]] = {n: [] for n in ("ours", "bare", "ema", "monai")}
        self.since = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.times["ours"].append(time.perf_counter() - self.since)
        # A plain loop does not ask for deterministic algorithms.
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
    """Seconds of each step, operations of one step, and tiles, by loop.

    The loops are "ours", "bare" and "monai"; "ema" is the EMA update that belongs to "bare".
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
        yield Line(where, told, "ours / plain loop with EMA", same, Mark(at_most=1.03))
        least = over(taken["ours"], taken["bare"])
        yield Line(where, told, "ours / plain loop without EMA", least)
        mine, theirs = (found.operations[key] / 1e9 for key in ("ours", "monai"))
        compared = f"MONAI, tile {found.tiles['monai']}, {theirs:,.0f} to {mine:,.0f} GFLOP / ours"
        yield Line(where, told, compared, over(each["monai"], each["ours"]), Mark(at_least=1))


def measure(folder: Path, data: Path, images: Sequence[str], case: Case, count: int) -> Measured:
    """Train for ``count`` steps, in turn with the two other loops."""
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
    # The progress bar moves only on a terminal.
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
