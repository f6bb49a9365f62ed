from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader

from unet_exp.training.ema import WeightEMA
from unet_exp.training.trainer import TrainerSettings, build_trainer


def test_the_decay_is_small_at_first() -> None:
    ema = WeightEMA(decay=0.5)
    weights = [torch.tensor([0.0])]
    # (1 + n) / (10 + n) for n = 1: 2 / 11 is kept and 9 / 11 comes from the new weight.
    ema.update(weights, [torch.tensor([11.0])], 1)
    assert weights[0].item() == pytest.approx(9)
    # For n = 100 it would keep 101 / 110, more than the decay allows.
    ema.update(weights, [torch.tensor([11.0])], 100)
    assert weights[0].item() == pytest.approx(10)


@pytest.mark.parametrize("decay", [1.0, -0.1])
def test_a_decay_outside_0_to_1_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="ema_decay="):
        WeightEMA(decay)


class Small(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        return self.layers(batch).square().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.5)


class Recorder(Callback):
    """Copy the weights after each step of the optimiser."""

    def __init__(self) -> None:
        self.steps: dict[int, dict[str, torch.Tensor]] = {}

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_step:
            # Buffers change in each batch, and the average takes those of the step's last batch.
            state = pl_module.state_dict()
            self.steps.setdefault(trainer.global_step, {k: v.clone() for k, v in state.items()})


@pytest.mark.filterwarnings("ignore:.*num_workers.*")
def test_training_ends_with_the_average_of_its_steps(tmp_path: Path) -> None:
    batches = torch.rand(12, 4, 3, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    module, recorder = Small(), Recorder()
    trainer = build_trainer(
        tmp_path,
        [WeightEMA(0.6), recorder],
        [],
        TrainerSettings(
            "cpu", precision="32-true", max_steps=6, accumulate_grad_batches=2, deterministic=False
        ),
    )
    trainer.fit(module, DataLoader(batches, batch_size=None))

    first, *others = recorder.steps.values()
    assert len(others) == 5
    average = first
    for n, current in enumerate(others, start=1):
        decay = min(0.6, (1 + n) / (10 + n))
        for name, value in current.items():
            average[name] = decay * average[name] + (1 - decay) * value
    found = dict(module.state_dict())
    del found["layers.1.num_batches_tracked"], average["layers.1.num_batches_tracked"]  # integers
    torch.testing.assert_close(found, average)
