import csv
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader, Dataset

from unet_exp.training import tiles, waiting
from unet_exp.training.tiles import TimedLoader
from unet_exp.training.trainer import TrainerSettings, build_trainer
from unet_exp.training.waiting import DataWait

STEP = 2.0


class Clock:
    """A clock that a test advances."""

    now = 0.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tiles, waiting):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: Clock.now))


class Slow(Dataset[torch.Tensor]):
    """Batches that take their time."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        Clock.now += self.seconds
        return torch.ones(1)


class Busy(LightningModule):
    """Steps that take ``STEP``."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        Clock.now += STEP
        return self.layer(batch).sum()

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None: ...

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


class Read(Callback):
    """Keep what a validation leaves for metrics.csv."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.shares.append(float(trainer.callback_metrics["data_wait"]))


class SlowCallback(Callback):
    """One that takes two steps' time at each."""

    def on_train_batch_start(self, *_: object) -> None:
        Clock.now += STEP

    def on_train_batch_end(self, *_: object) -> None:
        Clock.now += STEP


class SlowLogger(CSVLogger):
    """One that takes three steps' time."""

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        Clock.now += 3 * STEP
        super().log_metrics(metrics, step)


def trained(
    folder: Path,
    wait: float,
    validation: float = 0.0,
    steps: int = 12,
    batches: int = 1,
    others: Sequence[Callback] = (),
    logger: type[CSVLogger] = CSVLogger,
) -> list[float]:
    """The shares at two validations, of six batches each; ``folder``/csv is the logger's."""
    read = Read()
    trainer = build_trainer(
        folder,
        [*others, read, DataWait()],
        [logger(folder, name="csv")],
        TrainerSettings(
            "cpu", max_steps=steps, log_every_n_steps=4, accumulate_grad_batches=batches
        ),
    )
    trainer.fit(Busy(), TimedLoader(Slow(6, wait), batch_size=1), DataLoader(Slow(2, validation)))
    return read.shares


@pytest.mark.filterwarnings("ignore:.*num_workers.*")
def test_the_share_is_that_of_a_slow_loader(tmp_path: Path) -> None:
    # What a validation waits for is not counted.
    for wait, share in ((0.0, 0.0), (STEP, 0.5), (3 * STEP, 0.75)):
        shares = trained(tmp_path / f"{share}", wait, validation=5 * STEP)
        assert shares == pytest.approx([share, share], abs=0.01), wait


@pytest.mark.filterwarnings("ignore:.*num_workers.*")
def test_the_work_of_callbacks_and_loggers_is_no_waiting(tmp_path: Path) -> None:
    # Each batch: one step's time of waiting, one of the step, two of the callback.
    shares = trained(tmp_path / "callback", STEP, others=[SlowCallback()])
    assert shares == pytest.approx([0.25, 0.25], abs=0.01)
    # Of the six batches, the fourth is logged.
    shares = trained(tmp_path / "logger", STEP, logger=SlowLogger)
    assert shares[0] == pytest.approx(6 / (6 * 2 + 3), abs=0.01)


@pytest.mark.filterwarnings("ignore:.*num_workers.*")
@pytest.mark.parametrize(("batches", "steps"), [(1, 12), (2, 6)])
def test_loggers_get_the_share_at_their_interval(tmp_path: Path, batches: int, steps: int) -> None:
    trained(tmp_path, STEP, steps=steps, batches=batches)
    with (tmp_path / "csv" / "version_0" / "metrics.csv").open(newline="") as file:
        logged = [(r["step"], r["data_wait"]) for r in csv.DictReader(file) if r["data_wait"]]
    assert [step for step, _ in logged] == ["3", "7", "11"][: steps // 4]
    assert [float(share) for _, share in logged] == pytest.approx([0.5] * len(logged), abs=0.01)
