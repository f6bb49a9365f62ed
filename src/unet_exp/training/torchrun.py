"""Communication between torchrun and the processes that it starts.

Nothing is imported from torch until it is needed, so that commands start fast.
"""

import json
import os
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

#: Environment variable with the path of the file from which torchrun reads a process's error.
ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
#: Parts of the error messages of a process that lost its connection, because another one failed.
ECHOES = ("connection closed by peer", "gloo", "nccl", "connection reset", "broken pipe")


def started_by_torchrun() -> bool:
    """Whether torchrun started this process, alone or among others."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_one_of_several() -> bool:
    """Whether torchrun started this process and others for one training."""
    return started_by_torchrun() and world_size() > 1


def world_size() -> int:
    """Return the number of processes of this training, on all machines."""
    return int(os.environ.get("WORLD_SIZE", 1))


def local_world_size() -> int:
    """Return the number of processes of this training on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def rank() -> int:
    """Return the number of this process, from 0, before torch knows it."""
    return int(os.environ.get("RANK", 0))


def share(cfg: DictConfig, folder: Path) -> None:
    """Send the settled configuration and the run folder to the other processes."""
    store().set("job", json.dumps([str(folder), OmegaConf.to_yaml(cfg)]))


def receive() -> tuple[DictConfig, Path]:
    """Receive the configuration and the run folder that :func:`share` sends."""
    folder, text = json.loads(store().get("job"))
    return OmegaConf.create(text), Path(folder)  # pyright: ignore[reportReturnType]


def store() -> Any:
    """Return torchrun's store, which all processes on all machines reach."""
    from torch.distributed import PrefixStore, TCPStore  # pyright: ignore[reportPrivateImportUsage]

    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return PrefixStore("unet_exp", TCPStore(host, port, timeout=timedelta(minutes=30)))


def write_error(message: str, stack: str) -> None:
    """Write the error of this process to the file where torchrun looks for it, if any."""
    path = os.environ.get(ERROR_FILE)
    if path is None:
        return
    echo = world_size() > 1 and any(part in message.lower() for part in ECHOES)
    # torchrun reports the earliest error. A lost connection is an effect, so it gets a later time.
    stamp = str(int(time.time()) + (60 if echo else 0))
    content = {"message": message, "extraInfo": {"timestamp": stamp, "py_callstack": stack}}
    Path(path).write_text(json.dumps({"message": content}))


def read_error(path: Path) -> str | None:
    """Return the message that :func:`write_error` wrote; None if there is none."""
    try:
        return str(json.loads(path.read_text())["message"]["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def killing_signal(report: str) -> int | None:
    """Return the signal that killed a process according to torchrun's report, or None.

    >>> killing_signal("exitcode  : -9 (pid: 12)"), killing_signal("exitcode  : 1 (pid: 12)")
    (9, None)
    """
    found = re.search(r"exitcode\s*:\s*-(\d+)", report)
    return int(found[1]) if found else None
