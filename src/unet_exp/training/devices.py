"""Devices and cores of this machine: which device, how many processes, how many cores."""

import os
from collections.abc import Sequence


def core_count() -> int:
    """Return how many CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def device_type(accelerator: str) -> str:
    """Return torch's name of a device: ``cuda``, ``mps`` or ``cpu``.

    ``auto`` takes a GPU if there is one; ``gpu`` requires one.

    Raises ValueError if the accelerator is unknown, or there is none.
    """
    import torch

    if accelerator not in ("auto", "cpu", "gpu", "cuda", "mps"):
        raise ValueError(f"accelerator={accelerator} is not known. Choose auto, cpu or gpu.")
    if accelerator == "cpu":
        return "cpu"
    if accelerator != "mps" and torch.cuda.is_available():
        return "cuda"
    if accelerator != "cuda" and torch.backends.mps.is_available():
        return "mps"
    if accelerator == "auto":
        return "cpu"
    raise ValueError(
        f"accelerator={accelerator}, but torch {torch.__version__} sees no GPU here. Take the CPU "
        "(trainer=cpu in training, else accelerator=cpu), or install the CUDA build of torch that "
        "fits the driver."
    )


def gpu_count(accelerator: str) -> int:
    """Return the number of GPUs that training can choose from; 0 if it uses the CPU.

    Raises ValueError like :func:`device_type`.
    """
    import torch

    return {"cuda": torch.cuda.device_count(), "mps": 1, "cpu": 0}[device_type(accelerator)]


def process_count(accelerator: str, devices: int | str | Sequence[int]) -> int:
    """Return how many processes a training starts on this machine: one for each device.

    Parameters
    ----------
    accelerator
        ``auto`` uses GPUs if there are any, else the CPU.
    devices
        A number; ``auto``, all GPUs or one process on a CPU; -1, all GPUs; or the indices of
        GPUs, as ``[0, 2]`` or ``"0,2"`` (``"0,"`` for only the first).

    Raises ValueError if these devices do not exist, or ``devices`` cannot be read.

    >>> process_count("cpu", "auto"), process_count("cpu", 2)
    (1, 2)
    """
    gpus = gpu_count(accelerator)
    parsed = parse_devices(devices)
    given = f"trainer.devices={devices}"
    there = f"there {'is 1 GPU' if gpus == 1 else f'are {gpus} GPUs'} here"
    if parsed is None:
        return max(gpus, 1)
    if isinstance(parsed, list):
        require_indices(parsed, gpus, given, there)
        return len(parsed)
    if gpus == 0:
        if parsed < 1:
            raise ValueError(
                f"{given} is no number of processes on a CPU. Give 1 or more, or auto for one."
            )
        return parsed
    if parsed == -1:
        return gpus
    if parsed < 1:
        raise ValueError(
            f"{given} trains on nothing. Give 1 to {gpus}, -1 or auto for all, or indices such "
            "as [0]."
        )
    if parsed > gpus:
        raise ValueError(f"{given}, but {there}. Give at most {gpus}, or auto for all.")
    return parsed


def requested_gpus(accelerator: str, devices: int | str | Sequence[int]) -> int:
    """Return how many GPUs a training has to ask a scheduler for; this machine may have none.

    A scheduler numbers the GPUs of a job from 0, so an index needs all GPUs before it, too. A
    training that takes all GPUs (``auto``, -1) asks for one.

    Raises ValueError if ``devices`` cannot be read.

    >>> requested_gpus("cpu", 2), requested_gpus("auto", 1), requested_gpus("gpu", "auto")
    (0, 1, 1)
    >>> requested_gpus("gpu", 4), requested_gpus("gpu", [0, 3])
    (4, 4)
    """
    if accelerator == "cpu":
        return 0
    parsed = parse_devices(devices)
    if isinstance(parsed, list):
        return max(parsed, default=0) + 1
    return max(parsed or 1, 1)


def parse_devices(devices: int | str | Sequence[int]) -> int | list[int] | None:
    """Return a number of devices, their indices, or None for ``auto``.

    >>> parse_devices("2"), parse_devices("0,1"), parse_devices("0,"), parse_devices("auto")
    (2, [0, 1], [0], None)
    """
    try:
        if isinstance(devices, bool):
            raise ValueError
        if isinstance(devices, int):
            return devices
        if isinstance(devices, str):
            if devices.strip() == "auto":
                return None
            numbers = [int(part) for part in devices.split(",") if part.strip()]
            return numbers if "," in devices else numbers[0]
        return [int(index) for index in devices]
    except (ValueError, TypeError, IndexError):
        raise ValueError(
            f"trainer.devices={devices} is no choice of devices. Give a number, auto, -1 for all "
            "GPUs, or indices such as [0,1]."
        ) from None


def require_indices(indices: list[int], gpus: int, given: str, there: str) -> None:
    """Refuse indices of GPUs that do not exist, or that are given twice.

    Raises ValueError, naming them.
    """
    if gpus == 0:
        raise ValueError(
            f"{given} names GPUs by their index, and this training runs on a CPU. Give a number "
            "of processes, such as trainer.devices=2."
        )
    if not indices or len(set(indices)) < len(indices):
        fault = "names no GPU" if not indices else "names a GPU twice"
        raise ValueError(f"{given} {fault}. Give each index once, such as [0,1], or auto for all.")
    missing = [index for index in indices if not 0 <= index < gpus]
    if missing:
        raise ValueError(
            f"{given}, but {there}, and none with the index {', '.join(map(str, missing))}. "
            f"Indices run from 0 to {gpus - 1}."
        )
