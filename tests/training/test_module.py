import csv
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import CSVLogger
from torch import nn
from torch.utils.data import DataLoader

from unet_exp.inference.overlap_tile import OverlapTile
from unet_exp.losses.weighted_cross_entropy import WeightedCrossEntropy
from unet_exp.metrics.pixel_error import PixelError
from unet_exp.models.unet import UNet
from unet_exp.postprocessing.components import Components
from unet_exp.targets.foreground import Foreground
from unet_exp.training.checkpoint import CheckpointError
from unet_exp.training.module import SegmentationModule
from unet_exp.training.trainer import TrainerSettings, build_trainer


@pytest.fixture
def module() -> SegmentationModule:
    return SegmentationModule(
        UNet(depth=1, base_channels=2, padding="same"),
        Foreground(),
        WeightedCrossEntropy(),
        {"pixel_error": PixelError()},
        OverlapTile(),
        Components(),
        optimizer=torch.optim.SGD,
        scheduler=None,
        config={"seed": 1},
    )


def test_the_first_step_that_is_not_finite_is_named(module: SegmentationModule) -> None:
    module.watch(torch.tensor(1.0))
    module.first_bad_step = torch.tensor(41.0)
    with pytest.raises(FloatingPointError, match="loss of step 41 is not finite"):
        module.watch(torch.tensor(2.0))


def test_a_checkpoint_carries_the_configuration(module: SegmentationModule) -> None:
    checkpoint: dict[str, Any] = {}
    module.on_save_checkpoint(checkpoint)
    assert checkpoint["config"] == {"seed": 1}


def test_the_optimizer_has_the_networks_parameters(module: SegmentationModule) -> None:
    optimizer = module.configure_optimizers()
    assert isinstance(optimizer, torch.optim.SGD)
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for p in module.network.parameters()}


@pytest.mark.filterwarnings("ignore:.*num_workers.*", "ignore:.*no `val_dataloader`.*")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_gradients_of_a_fused_optimizer_are_clipped(
    module: SegmentationModule, precision: str, tmp_path: Path
) -> None:
    module.optimizer = partial(torch.optim.SGD, lr=0.5, fused=True)
    before = [p.detach().clone() for p in module.network.parameters()]
    trainer = build_trainer(
        tmp_path,
        [],
        [],
        TrainerSettings("cpu", precision=precision, max_steps=1, gradient_clip_val=0.01),
    )
    batch = {
        "image": torch.randn(1, 1, 16, 16),
        "target": torch.ones(1, 16, 16, dtype=torch.long),
        "weights": 1000 * torch.ones(1, 16, 16),
    }
    trainer.fit(module, DataLoader([batch], batch_size=None))
    after = module.network.parameters()
    moved = torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)])
    assert moved.norm().item() == pytest.approx(0.5 * 0.01, rel=1e-3)  # lr times the bound


def test_prediction_needs_no_optimizer(module: SegmentationModule) -> None:
    module.optimizer = None
    with pytest.raises(ValueError, match="no optimizer"):
        module.configure_optimizers()


def test_dropout_is_a_function_of_seed_and_step(module: SegmentationModule) -> None:
    dropout = nn.Dropout(0.5)

    def draw() -> torch.Tensor:
        module.on_train_batch_start(None, 0)
        return dropout(torch.ones(100))

    first = draw()
    torch.rand(7)
    assert torch.equal(first, draw())
    module.seed = 5
    assert not torch.equal(first, draw())


@pytest.mark.filterwarnings("ignore:.*num_workers.*", "ignore:.*no `val_dataloader`.*")
def test_the_loss_is_logged_at_the_loggers_interval(
    module: SegmentationModule, tmp_path: Path
) -> None:
    tile = {
        "image": torch.rand(1, 8, 8), "target": torch.ones(8, 8).long(), "weights": torch.ones(8, 8)
    }  # fmt: skip
    logger = CSVLogger(tmp_path, name="csv")
    trainer = build_trainer(
        tmp_path,
        [],
        [logger],
        TrainerSettings("cpu", max_steps=6, log_every_n_steps=2, accumulate_grad_batches=2),
    )
    trainer.fit(module, DataLoader([tile] * 12))
    with (tmp_path / "csv" / "version_0" / "metrics.csv").open(newline="") as file:
        steps = [row["step"] for row in csv.DictReader(file) if row["train/step_loss"]]
    assert steps == ["1", "3", "5"]


def test_hyperparameters_are_the_configuration(module: SegmentationModule) -> None:
    assert module.hparams.seed == 1
    module.config = {"optimizer": {"lr": 0.1, "momentum": 0.9}}
    module.lr = 0.5
    assert module.hparams["optimizer"] == {"lr": 0.5, "momentum": 0.9}
    assert module.lr == 0.5


def test_an_image_and_several_are_segmented(module: SegmentationModule) -> None:
    images = torch.randn(2, 1, 40, 48)
    both = module.eval().predict_step(images)
    assert isinstance(both, list)
    for image, one in zip(images, both, strict=True):
        alone = module.predict_step({"image": image})
        assert not isinstance(alone, list)
        assert torch.equal(alone.probabilities, one.probabilities)
        expected = module(image[None])[0].softmax(0)
        inside = (slice(None), slice(10, -10), slice(10, -10))  # borders are mirrored
        assert torch.allclose(alone.probabilities[inside], expected[inside], atol=1e-6)


@pytest.mark.filterwarnings(
    "ignore:.*num_workers.*", "ignore:.*no `val_dataloader`.*", "ignore:.*LeafSpec.*:FutureWarning"
)
def test_a_checkpoint_is_a_module_again(trained: Path, tmp_path: Path) -> None:
    path = trained / "checkpoints" / "best.ckpt"
    held = torch.load(path, weights_only=True)
    assert "hyper_parameters" not in held
    module = SegmentationModule.load_from_checkpoint(
        path, optimizer=partial(torch.optim.SGD, lr=0.1)
    )
    state = module.state_dict()
    assert state.keys() == held["state_dict"].keys()
    assert all(torch.equal(state[name], held["state_dict"][name]) for name in state)
    assert module.hparams["model"]["depth"] == 2

    tile = {
        "image": torch.rand(1, 32, 32), "target": torch.ones(32, 32).long(),
        "weights": torch.ones(32, 32),
    }  # fmt: skip
    trainer = Trainer(
        accelerator="cpu", max_steps=1, default_root_dir=tmp_path, logger=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, DataLoader([tile] * 2))
    trainer.save_checkpoint(tmp_path / "again.ckpt")
    again = SegmentationModule.load_from_checkpoint(tmp_path / "again.ckpt")
    image = torch.rand(1, 32, 32)
    predictions = [one.eval().predict_step(image) for one in (module, again)]
    assert torch.equal(predictions[0].probabilities, predictions[1].probabilities)


def test_a_module_has_the_fitted_values_of_its_checkpoint(trained: Path, tmp_path: Path) -> None:
    held = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    held["config"]["postprocessing"] |= {"fit": True, "threshold": 0.5}
    scores = {"seg": {"unfitted": 0.1, "fitted": 0.2, "left_out": 0.1}}
    fitted = {"values": {"threshold": 0.25}, "criterion": "seg", "images": 1, "scores": scores}
    torch.save(held | {"fitted_postprocessing": fitted}, tmp_path / "fitted.ckpt")
    module = SegmentationModule.load_from_checkpoint(tmp_path / "fitted.ckpt")
    assert isinstance(module.postprocessing, Components)
    assert module.postprocessing.threshold == 0.25
    assert module.hparams["postprocessing"]["threshold"] == 0.5  # the training's own


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"_target_": "os.system", "command": "false"}}, "no option of model"),
        ({"optimizer": {"lr": torch.ones(1)}}, "config.optimizer.lr is not plain data"),
    ],
)
def test_a_checkpoint_from_a_stranger_is_refused(
    trained: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    held = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    held["config"] |= change
    torch.save(held, tmp_path / "changed.ckpt")
    with pytest.raises(CheckpointError, match=message):
        SegmentationModule.load_from_checkpoint(tmp_path / "changed.ckpt")
