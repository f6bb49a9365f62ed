"""A training begins with the weights of a checkpoint; layers that do not fit are named."""

from pathlib import Path

import pytest
import torch

from unet_exp.models.unet import UNet
from unet_exp.training.checkpoint import CheckpointError
from unet_exp.training.init_from import take_weights


def network(**options: int) -> UNet:
    return UNet(**{"depth": 1, "base_channels": 2, **options})  # type: ignore[arg-type]


@pytest.fixture
def checkpoint(tmp_path: Path) -> tuple[Path, UNet]:
    torch.manual_seed(1)
    trained = network().eval()
    weights = {f"network.{name}": value for name, value in trained.state_dict().items()}
    path = tmp_path / "best.ckpt"
    torch.save({"config": {}, "state_dict": {**weights, "loss.alpha": torch.ones(1)}}, path)
    return path, trained


def test_a_network_gets_the_weights(checkpoint: tuple[Path, UNet]) -> None:
    path, trained = checkpoint
    fresh = network().eval()
    assert take_weights(fresh, path) == f"from {path}"
    image = torch.rand(1, 1, 60, 60)
    assert torch.equal(fresh(image), trained(image))


def test_layers_of_other_shapes_are_named_and_keep_random_weights(
    checkpoint: tuple[Path, UNet],
) -> None:
    path, trained = checkpoint
    fresh = network(out_channels=3)
    before = fresh.classify.weight.clone()
    with pytest.raises(
        CheckpointError,
        match=r"classify \(weight \(2, 2, 1, 1\), here \(3, 2, 1, 1\)\).*init_from\.strict=false",
    ):
        take_weights(fresh, path)
    told = take_weights(fresh, path, strict=False)
    assert told.startswith(f"from {path}; begun anew or left out: classify (")
    assert torch.equal(fresh.classify.weight, before)
    ours, theirs = fresh.state_dict(), trained.state_dict()
    same = [name for name in theirs if not name.startswith("classify")]
    assert all(torch.equal(ours[name], theirs[name]) for name in same)


def test_an_error_names_the_settings_of_the_checkpoint(checkpoint: tuple[Path, UNet]) -> None:
    path, _ = checkpoint
    content = torch.load(path)
    content["config"] = {
        "target": {"_target_": "unet_exp.targets.three_class.ThreeClass"},
        "model": {"_target_": "unet_exp.models.unet.UNet", "depth": 1, "norm": None},
    }
    torch.save(content, path)
    settings = {
        "target": {"_target_": "unet_exp.targets.foreground.Foreground"},
        "model": {
            "_target_": "unet_exp.models.unet.UNet",
            "depth": 2,
            "norm": "batch",
            "dropout": 0,
        },
    }
    told = r"\. Give target=three_class model\.depth=1 model\.norm=null \(and, if the first layer"
    with pytest.raises(CheckpointError, match=told):
        take_weights(network(depth=2), path, settings=settings)


def test_a_deeper_network_has_layers_that_the_checkpoint_lacks(
    checkpoint: tuple[Path, UNet],
) -> None:
    with pytest.raises(CheckpointError, match=r"contracting\.2\.\d \(not in the checkpoint\)"):
        take_weights(network(depth=2), checkpoint[0])


def test_weights_without_a_matching_layer_are_refused(checkpoint: tuple[Path, UNet]) -> None:
    with pytest.raises(CheckpointError, match="has no layer of this network"):
        take_weights(network(base_channels=4, in_channels=2), checkpoint[0], strict=False)
