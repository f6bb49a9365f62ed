import os
from pathlib import Path
from typing import Any

import pytest
import torch

from unet_exp.training.checkpoint import (
    CheckpointError,
    read_content,
    read_weights,
    require_own_paths,
    require_same_model,
)

GOOD: dict[str, Any] = {"config": {"model": {"depth": 4}}, "state_dict": {}}


def saved(folder: Path, content: Any) -> Path:
    torch.save(content, folder / "some.ckpt")
    return folder / "some.ckpt"


def test_reads_what_training_writes(tmp_path: Path) -> None:
    weights = {"a": torch.arange(6.0).reshape(2, 3).half(), "b": torch.tensor(3)}
    path = saved(tmp_path, {**GOOD, "state_dict": weights, "global_step": 7})
    content = read_content(path)
    assert (content["config"], content["global_step"]) == ({"model": {"depth": 4}}, 7)
    read = read_weights(path)
    assert all(torch.equal(read[name], tensor) for name, tensor in weights.items())


class Bomb:
    def __reduce__(self) -> Any:
        return os.mkdir, ("exploded",)


def test_code_in_a_checkpoint_never_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="could run code"):
        read_content(saved(tmp_path, {**GOOD, "bomb": Bomb()}))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"broken\.ckpt"):
        read_content(path)


@pytest.mark.parametrize(
    "state",
    [
        {"best_model_path": "runs/a/checkpoints/../../../thesis"},
        {"best_model_path": "runs\\a\\..\\..\\thesis"},
        {"last_model_path": "s3://bucket/last.ckpt"},
        {"best_k_models": {"../../thesis": 0.5}},
    ],
    ids=str,
)
def test_no_training_resumes_from_a_checkpoint_that_names_files_elsewhere(
    state: dict[str, Any],
) -> None:
    with pytest.raises(CheckpointError, match="outside of its run"):
        require_own_paths(Path("x.ckpt"), {"callbacks": {"ModelCheckpoint": state}})


def test_a_training_resumes_from_its_own_checkpoint() -> None:
    state = {"best_model_path": "/runs/a/checkpoints/best.ckpt", "best_model_score": 0.5}
    require_own_paths(Path("x.ckpt"), {"callbacks": {"ModelCheckpoint": state}})
    require_own_paths(Path("x.ckpt"), {})


def test_missing_weights_are_reported(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"some\.ckpt"):
        read_weights(saved(tmp_path, {"config": {}}))


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="No checkpoint at"):
        read_content(tmp_path / "none.ckpt")
    with pytest.raises(CheckpointError, match="carries no configuration"):
        read_content(saved(tmp_path, {"state_dict": {}}))


def test_another_architecture_is_refused_with_what_to_pass() -> None:
    with pytest.raises(CheckpointError, match=r"model\.depth=5.*pass model\.depth=4"):
        require_same_model(Path("x.ckpt"), {"model": {"depth": 4}}, {"model": {"depth": 5}})
    require_same_model(Path("x.ckpt"), {"model": {"depth": 4}}, {"model": {"depth": 4}})


def test_a_checkpoint_from_before_targets_is_named(tmp_path: Path) -> None:
    content = {"state_dict": {}, "config": {"weight_map": {"separation": True}}}
    with pytest.raises(CheckpointError, match=r"version of unet_exp without `target`.*Train again"):
        read_content(saved(tmp_path, content))


def test_the_error_for_a_package_says_how_to_open_it(tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    path.touch()
    with pytest.raises(CheckpointError, match=r"is a package\. .*unet_exp\.load take a package"):
        read_content(path)
