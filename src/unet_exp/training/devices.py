"""Which processors of one machine a training takes, and so how many processes."""

from collections.abc import Sequence


def processes(accelerator: str, devices: int | str | Sequence[int]) -> int:
    """Return how many processes of one machine a training takes: one for each device.

    Parameters
    ----------
    accelerator
        ``auto`` takes GPUs if there are any, else the CPU.
    devices
        As Lightning has them: a number; ``auto``, all GPUs or one process on a CPU; -1, all
        GPUs; or which GPUs, as ``[0, 2]`` or ``"0,2"`` (``"0,"`` for the first alone).

    Raises
    ------
    ValueError
        If there are not as many, or it is not a choice of devices at all.

    >>> processes("cpu", "auto"), processes("cpu", 2)
    (1, 2)
    """
    gpus = gpus_of(accelerator)
    asked = wanted(devices)
    given = f"trainer.devices={devices}"
    if asked is None:
        return max(gpus, 1)
    if isinstance(asked, list):
        require_indices(asked, gpus, given)
        return len(asked)
    if gpus == 0:
        if asked < 1:
            raise ValueError(
                f"{given} is no number of processes on a CPU. Give 1 or more, or auto for one."
            )
        return asked
    if asked == -1:
        return gpus
    if asked < 1:
        raise ValueError(
            f"{given} trains on nothing. Give 1 to {gpus}, -1 or auto for all, or indices such "
            "as [0]."
        )
    if asked > gpus:
        raise ValueError(
            f"{given}, but there {has(gpus)} here. Give at most {gpus}, or auto for all."
        )
    return asked


def gpus_of(accelerator: str) -> int:
    """Return the number of GPUs that training would choose from; 0 if it takes the CPU.

    Raises
    ------
    ValueError
        If the accelerator is not known, or there is none.
    """
    import torch

    if accelerator == "cpu":
        return 0
    apple = torch.backends.mps.is_available()
    if accelerator == "mps" and apple:
        return 1
    if accelerator not in ("auto", "gpu", "cuda", "mps"):
        raise ValueError(
            f"trainer.accelerator={accelerator} is not known. Choose auto, cpu or gpu."
        )
    if torch.cuda.is_available() and accelerator != "mps":
        return torch.cuda.device_count()
    if accelerator == "auto":
        return int(apple)
    raise ValueError(
        f"trainer.accelerator={accelerator}, but torch {torch.__version__} sees no GPU here. Take "
        "trainer=cpu, or install the CUDA build of torch that fits the driver."
    )


def wanted(devices: int | str | Sequence[int]) -> int | list[int] | None:
    """Return what a choice of devices means: a number, indices, or None for ``auto``.

    >>> wanted("2"), wanted("0,1"), wanted("0,"), wanted([3]), wanted("auto")
    (2, [0, 1], [0], [3], None)
    """
    try:
        if isinstance(devices, bool):
            raise ValueError
        if isinstance(devices, int):
            return devices
        if isinstance(devices, str):
            if devices.strip() == "auto":
                return None
            numbers = [int(word) for word in devices.split(",") if word.strip()]
            return numbers if "," in devices else numbers[0]
        return [int(index) for index in devices]
    except (ValueError, TypeError, IndexError):
        raise ValueError(
            f"trainer.devices={devices} is no choice of devices. Give a number, auto, -1 for all "
            "GPUs, or indices such as [0,1]."
        ) from None


def require_indices(indices: list[int], gpus: int, given: str) -> None:
    """Refuse indices of GPUs that are not there, or named twice.

    Raises
    ------
    ValueError
        Naming them.
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
            f"{given}, but there {has(gpus)} here, and none with the index "
            f"{', '.join(map(str, missing))}. Indices run from 0 to {gpus - 1}."
        )


def has(gpus: int) -> str:
    """Say how many GPUs there are.

    >>> has(1), has(4)
    ('is 1 GPU', 'are 4 GPUs')
    """
    return "is 1 GPU" if gpus == 1 else f"are {gpus} GPUs"
