"""The command ``export``: the files that it writes, and what it refuses."""

import errno
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from tests.export.checkpoints import save_checkpoint
from tests.running import Command, Finished
from unet_exp.export import export
from unet_exp.export.documentation import documentation
from unet_exp.export.exported import Exported


def refused(done: Finished, *words: str) -> None:
    assert done.code == 1
    assert done.err.count("Error:") == 1
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err


def metadata(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as file:
        (name,) = (name for name in file.namelist() if name.endswith("unet_exp.json"))
        return json.loads(file.read(name))


def test_a_file_has_the_metadata_to_run_the_network(command: Command, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "best.ckpt", "dataset.normalization=minmax")
    words = ("checkpoint=best.ckpt", "format=torchscript")
    assert command("export", *words, "output=deep/model.pt").code == 0
    said = metadata(tmp_path / "deep" / "model.pt")
    assert said["normalization"] == "minmax"
    assert (said["in_channels"], said["step"], said["padding"]) == (1, 2, "same")
    assert said["postprocessing"]["_target_"].endswith("Watershed")
    assert said["warnings"] == []
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model.pt"]


def test_a_norm_that_depends_on_the_tile_is_warned_of(command: Command, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "best.ckpt", "model.norm=instance")
    words = ("checkpoint=best.ckpt", "format=torchscript", "output=model.pt")
    done = command("export", *words)
    assert done.code == 0
    (warning,) = metadata(tmp_path / "model.pt")["warnings"]
    assert "normalises each tile by its own mean" in warning
    assert warning in " ".join((done.out + done.err).split())
    exported = Exported.read(tmp_path / "best.ckpt", OmegaConf.create({"trust": []}))
    text = documentation(exported, "cells", "A network.")
    assert f"## Warnings\n\n{warning}" in text


def test_images_that_have_to_be_resized_are_warned_of(command: Command, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "best.ckpt", "inference.scale=0.5")
    assert (
        command("export", "checkpoint=best.ckpt", "format=torchscript", "output=model.pt").code == 0
    )
    said = metadata(tmp_path / "model.pt")
    assert said["scale"] == 0.5
    (warning,) = said["warnings"]
    assert "inference.scale=0.5" in warning
    assert "resize each image by this factor" in warning


def test_wrong_requests_are_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path / "best.ckpt")
    best = "checkpoint=best.ckpt"
    refused(command("export", best), "output is not given")
    refused(command("export", best, "output=a.pt", "format=keras"), "format=keras", "torchscript")
    refused(command("export", best, "output=a.pt", "format=onnx"), "output=model.onnx")
    refused(command("export", "checkpoint=none.ckpt", "output=a.onnx"), "No checkpoint at none")
    refused(
        command("export", "checkpoint=[best.ckpt,best.ckpt]", "output=a.pt", "format=torchscript"),
        "2 files", "Export each",
    )  # fmt: skip
    refused(command("export", best, "output=a.onnx", "image=a.tif"), "image")
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    refused(command("export", best, "output=a.onnx"), "onnx", "pip install 'unet-exp[export]'")
    assert [path.name for path in tmp_path.iterdir()] == ["best.ckpt"]


def test_a_checkpoint_of_another_version_is_refused(command: Command, tmp_path: Path) -> None:
    content = torch.load(save_checkpoint(tmp_path / "best.ckpt"), weights_only=True)
    words = ("checkpoint=old.ckpt", "format=torchscript", "output=model.pt")

    def export_with(**parts: Any) -> Finished:
        torch.save({**content, "config": content["config"] | parts}, tmp_path / "old.ckpt")
        return command("export", *words)

    model = content["config"]["model"]
    refused(export_with(model={**model, "residual": True}), "residual")
    refused(export_with(model={**model, "base_channels": 3}), "another architecture")
    del content["config"]["target"]
    refused(export_with(), "without `target`", "the version that wrote it")


def test_a_full_disk_leaves_the_earlier_file(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path / "best.ckpt")
    (tmp_path / "model.pt").write_text("before")

    def half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    words = ("checkpoint=best.ckpt", "format=torchscript", "output=model.pt")
    refused(command("export", *words), "The disk is full: model.pt")
    assert (tmp_path / "model.pt").read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"best.ckpt", "model.pt"}
