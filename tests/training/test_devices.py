import os
import subprocess
import sys

import pytest
import torch

from unet_exp.training.devices import core_count, device_type, process_count


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        (1, 1),
        (4, 4),
        ("3", 3),
        ("auto", 4),
        (-1, 4),
        ("-1", 4),
        ([0, 3], 2),
        ("1,2,3", 3),
        ("2,", 1),
    ],
)
def test_one_process_for_each_gpu(
    monkeypatch: pytest.MonkeyPatch, devices: int | str | list[int], expected: int
) -> None:
    with_gpus(monkeypatch, 4)
    assert process_count("gpu", devices) == process_count("auto", devices) == expected


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        (5, "there are 4 GPUs here. Give at most 4"),
        (0, "devices=0 trains on nothing. Give 1 to 4"),
        (-2, "devices=-2 trains on nothing"),
        ([0, 4], "none with the index 4. Indices run from 0 to 3"),
        ("-1,0", "none with the index -1"),
        ([1, 1], "names a GPU twice"),
        ([], "names no GPU"),
        ("two", "devices=two is no choice of devices"),
        (True, "devices=True is no choice"),
    ],
)
def test_missing_devices_are_named(
    monkeypatch: pytest.MonkeyPatch, devices: int | str | list[int], words: str
) -> None:
    with_gpus(monkeypatch, 4)
    with pytest.raises(ValueError, match=r"trainer\.devices") as error:
        process_count("gpu", devices)
    assert words in str(error.value)


def test_a_cpu_runs_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 4)
    assert [process_count("cpu", devices) for devices in (1, 7, "2", "auto")] == [1, 7, 2, 1]
    with_gpus(monkeypatch, 0)
    assert [process_count("auto", devices) for devices in (1, 7, "auto")] == [1, 7, 1]


@pytest.mark.parametrize("devices", [0, -1, [0], "0,1"])
def test_a_cpu_has_no_indices(devices: int | str | list[int]) -> None:
    with pytest.raises(ValueError, match="on a CPU"):
        process_count("cpu", devices)


@pytest.mark.parametrize("accelerator", ["gpu", "cuda", "mps"])
def test_a_missing_gpu_is_named(monkeypatch: pytest.MonkeyPatch, accelerator: str) -> None:
    with_gpus(monkeypatch, 0)
    with pytest.raises(ValueError, match=f"accelerator={accelerator}.*trainer=cpu"):
        process_count(accelerator, 1)


def test_an_unknown_accelerator_is_named() -> None:
    with pytest.raises(ValueError, match=r"accelerator=abacus is not known"):
        process_count("abacus", 1)


def test_prediction_and_training_choose_the_same_device(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gpus(monkeypatch, 4)
    assert [device_type(name) for name in ("auto", "gpu", "cuda", "cpu")] == [*3 * ["cuda"], "cpu"]
    with_gpus(monkeypatch, 0)
    assert device_type("auto") == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert [device_type(name) for name in ("auto", "gpu", "mps", "cpu")] == [*3 * ["mps"], "cpu"]
    assert process_count("auto", "auto") == 1
    with pytest.raises(ValueError, match=r"accelerator=cuda.*sees no GPU"):
        device_type("cuda")


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert core_count() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert core_count() == (os.cpu_count() or 1)


def test_lightning_is_not_imported() -> None:
    code = (
        "import sys; from unet_exp.training.devices import process_count; process_count('cpu', 2);"
        "sys.exit('lightning' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
