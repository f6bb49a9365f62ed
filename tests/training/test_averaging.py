from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.callbacks import WeightAveraging
from torch.utils.data import DataLoader

from unet_exp.training.averaging import RunningMean
from unet_exp.training.trainer import build_trainer


def test_the_mean_is_young_at_first() -> None:
    mean = RunningMean(decay=0.5)
    weights = [torch.tensor([0.0])]
    # (1 + n) / (10 + n) for n = 1: 2 / 11 is kept and 9 / 11 comes from the new weight.
    mean.update(weights, [torch.tensor([11.0])], 1)
    assert weights[0].item() == pytest.approx(9)
    # For n = 100 it would keep 101 / 110, more than the decay allows.
    mean.update(weights, [torch.tensor([11.0])], 100)
    assert weights[0].item() == pytest.approx(10)


@pytest.mark.parametrize("decay", [1.0, -0.1])
def test_a_decay_outside_0_to_1_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match="averaging="):
        RunningMean(decay)


class Small(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        return self.layers(batch).square().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.5)


class TorchsOwn(RunningMean):
    """Lightning's step, by torch's AveragedModel."""

    on_train_batch_end = WeightAveraging.on_train_batch_end


@pytest.mark.filterwarnings("ignore:.*num_workers.*")
def test_the_mean_is_torchs_own_to_the_last_bit(tmp_path: Path) -> None:
    found = []
    batches = torch.rand(12, 4, 3, generator=torch.Generator().manual_seed(0))
    for kind in (RunningMean, TorchsOwn):
        torch.manual_seed(1)
        module, mean = Small(), kind(0.6)
        trainer = build_trainer(
            tmp_path, [mean], [], accelerator="cpu", precision="32-true", max_steps=6,
            accumulate_grad_batches=2, deterministic=False,
        )  # fmt: skip
        trainer.fit(module, DataLoader(batches, batch_size=None))
        assert mean._average_model is not None
        assert mean._average_model.n_averaged == 6
        found.append(module.state_dict())
    ours, expected = found
    assert ours.keys() == expected.keys()
    assert all(torch.equal(ours[name], expected[name]) for name in expected)
