"""The loaders as a LightningDataModule."""

from typing import Any

from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from unet_exp.training.loaders import Loaders


class DataModule(LightningDataModule):
    """Serve random tiles for training and whole images for validation."""

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self.loaders = loaders

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        trainer = self.trainer
        if trainer is None:
            return self.loaders.train()
        return self.loaders.train(
            lambda: trainer.global_step * trainer.accumulate_grad_batches,
            trainer.global_rank,
            trainer.world_size,
        )

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        count = len(self.loaders.required("validation"))
        trainer = self.trainer
        if trainer is None or trainer.world_size == 1:
            return self.loaders.whole("validation")
        # Lightning limits the batches of each process; meant are images of all together.
        limit = trainer.limit_val_batches
        if isinstance(limit, float):
            limit = max(1, int(count * limit))
            trainer.limit_val_batches = 1.0
        return self.loaders.whole("validation", limit, trainer.global_rank, trainer.world_size)
