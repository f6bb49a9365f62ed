from pathlib import Path

import pytest
import torch

from unet_exp.training.trainer import best_precision, build_trainer


def test_settings_reach_lightning(tmp_path: Path) -> None:
    trainer = build_trainer(
        tmp_path, [], [], accelerator="cpu", max_steps=7, gradient_clip_val=0.5, precision="32-true"
    )
    assert (trainer.max_steps, trainer.gradient_clip_val) == (7, 0.5)
    assert trainer.precision == "32-true"
    options = {"overfit_batches": 2}
    trainer = build_trainer(tmp_path, [], [], accelerator="cpu", options=options)
    assert trainer.overfit_batches == 2


@pytest.mark.parametrize("steps", [0, -1])
def test_steps_must_be_positive(tmp_path: Path, steps: int) -> None:
    with pytest.raises(ValueError, match=f"max_steps={steps}"):
        build_trainer(tmp_path, [], [], max_steps=steps)


def test_a_missing_gpu_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="trainer=cpu"):
        build_trainer(tmp_path, [], [], accelerator="gpu")


@pytest.mark.parametrize(("capability", "expected"), [((9, 0), "bf16-mixed"), ((7, 5), "32-true")])
def test_bfloat16_where_the_gpu_has_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert best_precision("auto") == expected


@pytest.mark.parametrize(("amx", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_bfloat16_where_the_cpu_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, amx: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert best_precision("cpu") == expected
