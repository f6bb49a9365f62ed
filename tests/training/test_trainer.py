import inspect
import time
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer

from unet_exp.configuration.trainer_options import FREE, TAKEN
from unet_exp.training.ema import WeightEMA
from unet_exp.training.trainer import (
    TrainerSettings,
    best_precision,
    bfloat16_is_faster,
    build_trainer,
)


def test_settings_reach_lightning(tmp_path: Path) -> None:
    trainer = build_trainer(
        tmp_path,
        [],
        [],
        TrainerSettings(accelerator="cpu", max_steps=7, gradient_clip_val=0.5, precision="32-true"),
    )
    assert (trainer.max_steps, trainer.gradient_clip_val) == (7, 0.5)
    assert trainer.precision == "32-true"
    options = {"overfit_batches": 2}
    trainer = build_trainer(tmp_path, [], [], TrainerSettings(accelerator="cpu", options=options))
    assert trainer.overfit_batches == 2


ARGUMENTS = sorted(set(inspect.signature(Trainer).parameters) - {"overfit_batches"})


def test_every_argument_of_lightnings_trainer_is_decided_on() -> None:
    own = {*inspect.signature(build_trainer).parameters, *vars(TrainerSettings())} - {"settings"}
    known = set(inspect.signature(Trainer).parameters)
    assert known == (known & own) | {*FREE, *TAKEN}
    assert not set(FREE) & (set(TAKEN) | own)


@pytest.mark.parametrize("name", sorted({*ARGUMENTS, "folder", "loggers"} - set(FREE)))
def test_no_option_replaces_what_the_record_needs(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=rf"trainer\.options\.{name} cannot be given"):
        build_trainer(tmp_path, [], [], TrainerSettings(accelerator="cpu", options={name: None}))


def test_an_unknown_option_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Did you mean profiler"):
        build_trainer(
            tmp_path, [], [], TrainerSettings(accelerator="cpu", options={"profilr": "simple"})
        )


def test_deterministic_training_fills_no_new_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    build_trainer(tmp_path, [], [], TrainerSettings(accelerator="cpu"))
    assert torch.are_deterministic_algorithms_enabled()
    try:
        assert not torch.empty(1000).isnan().all()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("steps", [0, -1])
def test_steps_must_be_positive(tmp_path: Path, steps: int) -> None:
    with pytest.raises(ValueError, match=f"max_steps={steps}"):
        build_trainer(tmp_path, [], [], TrainerSettings(max_steps=steps))


def test_a_missing_gpu_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="trainer=cpu"):
        build_trainer(tmp_path, [], [], TrainerSettings(accelerator="gpu"))


@pytest.mark.parametrize(("capability", "expected"), [((9, 0), "bf16-mixed"), ((7, 5), "32-true")])
def test_bfloat16_where_the_gpu_has_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert best_precision("auto") == expected


@pytest.mark.parametrize(
    ("able", "is_faster", "expected"),
    [
        ("amx_bf16", False, "bf16-mixed"),
        ("avx512_bf16", True, "bf16-mixed"),
        ("avx512_bf16", False, "32-true"),
        ("avx512_f", True, "32-true"),
    ],
)
def test_bfloat16_where_the_cpu_multiplies_it_fast(
    monkeypatch: pytest.MonkeyPatch, able: str, is_faster: bool, expected: str
) -> None:
    monkeypatch.setattr("unet_exp.training.trainer.bfloat16_is_faster", lambda: is_faster)
    names = ("amx_bf16", "avx512_bf16", "avx512_f")
    capabilities = {name: name == able for name in names}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert best_precision("cpu") == expected


@pytest.mark.parametrize("slow", [torch.float32, torch.bfloat16])
def test_a_measured_product_tells_whether_bfloat16_is_faster(
    monkeypatch: pytest.MonkeyPatch, slow: torch.dtype
) -> None:
    def product(one: torch.Tensor, other: torch.Tensor) -> None:
        end = time.process_time() + (0.004 if one.dtype == slow else 0.001)
        while time.process_time() < end:
            pass

    monkeypatch.setattr(torch, "mm", product)
    # The function without its cache.
    assert inspect.unwrap(bfloat16_is_faster)() == (slow == torch.float32)


def test_devices_reach_lightning(tmp_path: Path) -> None:
    for devices in ("auto", "1"):
        trainer = build_trainer(
            tmp_path, [], [], TrainerSettings(accelerator="cpu", devices=devices)
        )
        assert trainer.num_devices == 1
    trainer = build_trainer(
        tmp_path, [], [], TrainerSettings(accelerator="cpu", devices=2, strategy="ddp")
    )
    assert (trainer.num_devices, trainer.world_size) == (2, 2)
    with pytest.raises(ValueError, match="devices=0"):
        build_trainer(tmp_path, [], [], TrainerSettings(accelerator="cpu", devices=0))


def test_one_process_is_alone_in_a_slurm_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "SLURM_NTASKS": "4",
        "SLURM_JOB_NAME": "training",
        "SLURM_NTASKS_PER_NODE": "4",
        "SLURM_PROCID": "3",
        "SLURM_LOCALID": "3",
        "SLURM_NODEID": "0",
        "SLURM_JOB_ID": "17",
    }.items():
        monkeypatch.setenv(name, value)
    trainer = build_trainer(tmp_path, [], [], TrainerSettings(accelerator="cpu"))
    assert (trainer.world_size, trainer.global_rank) == (1, 0)


def test_the_number_of_processes_comes_from_torchrun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "TORCHELASTIC_RUN_ID": "a",
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "RANK": "0",  # Lightning keeps another for the rest of the process
        "LOCAL_RANK": "0",
        "MASTER_ADDR": "localhost",
        "MASTER_PORT": "29500",
    }.items():
        monkeypatch.setenv(name, value)
    trainer = build_trainer(
        tmp_path, [], [], TrainerSettings(accelerator="cpu", devices=2, strategy="ddp")
    )
    assert (trainer.world_size, trainer.global_rank) == (2, 0)
    with pytest.raises(ValueError, match=r"torchrun started 2 processes.*num_nodes is 1"):
        build_trainer(tmp_path, [], [], TrainerSettings(accelerator="cpu"))


def test_settings_that_a_sharded_network_does_not_support_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Add ema_decay=0"):
        build_trainer(
            tmp_path, [WeightEMA(0.9)], [], TrainerSettings(accelerator="cpu", strategy="fsdp")
        )
    with pytest.raises(ValueError, match="sync_batchnorm=true does not go with"):
        build_trainer(
            tmp_path,
            [],
            [],
            TrainerSettings(accelerator="cpu", strategy="fsdp", sync_batchnorm=True),
        )
