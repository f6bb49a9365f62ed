import os
from pathlib import Path
from typing import Any

import pytest
import torch

from unet_exp.training.checkpoint import (
    CheckpointError,
    differences,
    read_checkpoint,
    require_same_model,
)

UNET = "unet_exp.models.unet.UNet"
GOOD: dict[str, Any] = {"config": {"model": {"_target_": UNET, "depth": 4}}, "state_dict": {}}


def saved(folder: Path, content: Any) -> Path:
    torch.save(content, folder / "some.ckpt")
    return folder / "some.ckpt"


def test_reads_what_training_writes(tmp_path: Path) -> None:
    assert read_checkpoint(saved(tmp_path, GOOD), {UNET}) == GOOD


@pytest.mark.parametrize(
    "target", ["os.system", "torch.hub.load", "unet_exp.models.unet.torch.load"]
)
def test_a_doctored_target_is_refused(tmp_path: Path, target: str) -> None:
    loss = {"terms": {"a": {"_target_": target, "command": "true"}}}
    path = saved(tmp_path, {**GOOD, "config": {**GOOD["config"], "loss": loss}})
    with pytest.raises(CheckpointError, match="no option of unet_exp"):
        read_checkpoint(path, {UNET})


def test_a_trusted_target_is_taken(tmp_path: Path) -> None:
    path = saved(tmp_path, {"config": {"model": {"_target_": "my_lab.Net"}}})
    assert read_checkpoint(path, {UNET, "my_lab.Net"})


def test_an_interpolation_is_refused(tmp_path: Path) -> None:
    config = {"model": {"_target_": UNET, "activation": "${oc.env:SECRET}"}}
    with pytest.raises(CheckpointError, match="not plain data"):
        read_checkpoint(saved(tmp_path, {"config": config}), {UNET})


class Bomb:
    def __reduce__(self) -> Any:
        return os.mkdir, ("exploded",)


def test_code_in_a_checkpoint_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="could run code"):
        read_checkpoint(saved(tmp_path, {**GOOD, "bomb": Bomb()}), {UNET})
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.ckpt"):
        read_checkpoint(path, {UNET})


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="No checkpoint at"):
        read_checkpoint(tmp_path / "none.ckpt", {UNET})
    with pytest.raises(CheckpointError, match="carries no configuration"):
        read_checkpoint(saved(tmp_path, {"state_dict": {}}), {UNET})


def test_another_architecture_is_refused_with_what_to_pass() -> None:
    with pytest.raises(CheckpointError, match=r"model\.depth=5.*pass model\.depth=4"):
        require_same_model(Path("x.ckpt"), {"model": {"depth": 4}}, {"model": {"depth": 5}})
    require_same_model(Path("x.ckpt"), {"model": {"depth": 4}}, {"model": {"depth": 4}})


def test_differences_reach_into_nested_parts() -> None:
    old, new = {"a": {"b": 1, "c": [1]}}, {"a": {"b": 1, "c": [2]}, "d": 3}
    assert list(differences(old, new)) == [("a.c", [1], [2]), ("d", None, 3)]
