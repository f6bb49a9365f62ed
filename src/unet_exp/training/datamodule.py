"""The loaders as a LightningDataModule."""

from typing import Any

from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from unet_exp.training.loaders import Loaders
from unet_exp.training.supervision import UnlabelledImages


class DataModule(LightningDataModule):
    """Provide random tiles for training, and whole images for validation, test and prediction.

    Each process draws its own tiles, so with several devices a Trainer needs
    ``use_distributed_sampler=False``.

    Parameters
    ----------
    loaders
        Loaders of the data set, with tiles that fit the network.
    """

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self.loaders = loaders

    @property
    def batch_size(self) -> int:
        """Tiles per step and per device; ``Tuner.scale_batch_size`` sets it."""
        return self.loaders.batch_size

    @batch_size.setter
    def batch_size(self, value: int) -> None:
        self.loaders.batch_size = value

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        trainer = self.trainer
        if trainer is None:
            return self.loaders.train()

        def batches_done() -> int:
            if trainer.overfit_batches:  # pyright: ignore[reportAttributeAccessIssue]
                return 0  # the same tiles at each pass
            return trainer.global_step * trainer.accumulate_grad_batches

        return self.loaders.train(batches_done, trainer.global_rank, trainer.world_size)

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        return self.labelled("validation", "limit_val_batches")

    def test_dataloader(self) -> DataLoader[dict[str, Any]]:
        return self.labelled("test", "limit_test_batches")

    def labelled(self, split: str, limit_name: str) -> DataLoader[dict[str, Any]]:
        """Return the labelled images of a split, limited by an attribute of the Trainer."""
        count = len(self.loaders.required(split))
        trainer = self.trainer
        if trainer is None or trainer.world_size == 1:
            return self.loaders.whole(split)
        # Lightning limits the batches of each process. Here, the limit is for all processes
        # together.
        limit = getattr(trainer, limit_name)
        if isinstance(limit, float):
            limit = max(1, int(count * limit))
            setattr(trainer, limit_name, 1.0)
        return self.loaders.whole(split, limit, trainer.global_rank, trainer.world_size)

    def predict_dataloader(self) -> DataLoader[dict[str, Any]]:
        """Return the images of the test split, with or without labels: ``name`` and ``image``."""
        images = UnlabelledImages(self.loaders.dataset.split("test"))
        return DataLoader(images, batch_size=None, shuffle=False)
