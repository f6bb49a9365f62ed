"""Module and data module in a user's own Trainer, without a run of the project."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.tuner.tuning import Tuner

import unet_exp
from unet_exp.augmentations.paper import Augmentation
from unet_exp.datasets.sample import Sample
from unet_exp.inference.overlap_tile import OverlapTile
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
from unet_exp.metrics.iou import IoU
from unet_exp.models.unet import UNet
from unet_exp.postprocessing.components import Components
from unet_exp.targets.foreground import Foreground
from unet_exp.training.datamodule import DataModule
from unet_exp.training.loaders import Loaders
from unet_exp.training.module import SegmentationModule
from unet_exp.weight_maps.uniform import UniformWeightMap

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*num_workers.*", "ignore:.*LeafSpec.*:FutureWarning"
)


class Squares:
    """Images of 32 x 32 pixels of noise, with a bright square each."""

    name, in_channels, num_classes = "squares", 1, 2

    def __init__(self, test: int) -> None:
        self.counts = {"train": 2, "validation": 2, "test": test}

    def split(self, name: str) -> list[Sample]:
        samples = []
        for number in range(self.counts[name]):
            labels = np.zeros((32, 32), np.int32)
            labels[4 + number : 20, 8:26] = 1
            noise = np.random.default_rng(number).normal(size=(1, 32, 32))
            samples.append(Sample(f"{name}_{number}", np.float32(noise + 2 * labels), labels))
        return samples


def parts(folder: Path, test: int = 3) -> tuple[SegmentationModule, DataModule]:
    torch.manual_seed(0)
    network, target = UNet(depth=1, base_channels=4, padding="same"), Foreground(separation=False)
    module = unet_exp.SegmentationModule(
        network,
        target,
        WeightedCrossEntropy(),
        {"iou": IoU()},
        OverlapTile(),
        Components(),
        optimizer=partial(torch.optim.Adam, lr=0.02),
    )
    loaders = Loaders(
        Squares(test),
        network,
        target,
        UniformWeightMap(),
        partial(Augmentation, elastic_std=0.0, rotation=0.0, flip=False, transforms=[]),
        folder,
        tile=16,
        batch_size=2,
        steps_per_validation=2,
        num_workers=0,
    )
    return module, unet_exp.DataModule(loaders)


def bare(folder: Path, *callbacks: Callback, **options: Any) -> Trainer:
    return Trainer(
        accelerator="cpu",
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=list(callbacks),
        logger=False,
        **options,
    )


class Seen(Callback):
    """The tiles and the losses of all steps."""

    def __init__(self) -> None:
        self.tiles: list[torch.Tensor] = []
        self.losses: list[float] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.tiles.append(batch["image"])
        self.losses.append(float(outputs["loss"]))


def test_a_bare_trainer_trains_tests_and_predicts(tmp_path: Path) -> None:
    module, data = parts(tmp_path)
    seen = Seen()
    trainer = bare(tmp_path, seen, max_epochs=20, enable_checkpointing=False)
    trainer.fit(module, data)
    assert len(seen.losses) == 40
    assert sum(seen.losses[-4:]) < 0.5 * sum(seen.losses[:4])
    assert {"train/loss", "val/loss", "val/iou"} <= set(trainer.callback_metrics)

    (scores,) = trainer.test(module, data, verbose=False)
    assert set(scores) == {"test/loss", "test/iou"}
    predictions: Any = trainer.predict(module, data)
    assert [one.instances.shape for one in predictions] == [(32, 32)] * 3
    found = np.stack([one.probabilities[1].numpy() > 0.5 for one in predictions])
    truth = np.stack([sample.labels for sample in data.loaders.dataset.split("test")]) > 0
    iou = (found & truth).sum() / (found | truth).sum()
    assert iou > 0.6
    assert scores["test/iou"] == pytest.approx(iou, rel=1e-5)


def test_overfitting_repeats_the_same_tiles(tmp_path: Path) -> None:
    module, data = parts(tmp_path)
    seen = Seen()
    trainer = bare(tmp_path, seen, max_epochs=3, overfit_batches=1, enable_checkpointing=False)
    trainer.fit(module, data)
    assert len(seen.tiles) == 3
    assert torch.equal(seen.tiles[0], seen.tiles[1])
    assert torch.equal(seen.tiles[0], seen.tiles[2])


def test_the_error_without_test_images_gives_a_remedy(tmp_path: Path) -> None:
    module, data = parts(tmp_path, test=0)
    with pytest.raises(ValueError, match=r"no labelled image to test on.*Trainer.validate"):
        bare(tmp_path, enable_checkpointing=False).test(module, data, verbose=False)


@pytest.mark.filterwarnings("ignore:The number of training batches")
def test_the_tuner_finds_a_learning_rate(tmp_path: Path) -> None:
    module, data = parts(tmp_path)
    before = [p.clone() for p in module.network.parameters()]
    tuner = Tuner(bare(tmp_path, max_steps=4, enable_checkpointing=False))
    found = tuner.lr_find(module, data, num_training=24, min_lr=1e-5, max_lr=0.1)
    assert found is not None
    assert module.lr == found.suggestion() != 0.02
    module.lr = 0.125
    optimizer: Any = module.configure_optimizers()
    assert optimizer.param_groups[0]["lr"] == module.lr == 0.125
    assert all(map(torch.equal, before, module.network.parameters()))


def test_the_tuner_doubles_the_batch(tmp_path: Path) -> None:
    module, data = parts(tmp_path)
    trainer = bare(tmp_path, max_steps=4, enable_checkpointing=False)
    size = Tuner(trainer).scale_batch_size(
        module, data, init_val=2, max_trials=3, steps_per_trial=1
    )
    assert size == data.batch_size == 8
    assert next(iter(data.train_dataloader()))["image"].shape == (8, 1, 16, 16)
