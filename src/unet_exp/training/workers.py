"""Processes that load tiles: their number, and how they react to signals."""

import atexit
import os
import signal
from collections.abc import Callable
from functools import cache, partial
from multiprocessing import RawValue
from typing import Protocol

import torch

from unet_exp.training.devices import core_count


class Flag(Protocol):
    """A number in shared memory, without a lock, because a signal handler must not wait."""

    value: int


def default_workers() -> int:
    """Return the number of loading processes: none without a GPU."""
    return min(8, core_count() - 1) if torch.cuda.is_available() else 0


def outliving() -> Callable[[int], None]:
    """Return a ``worker_init_fn`` that lets loading processes survive a request to stop.

    A scheduler, or Ctrl-C, sends its signal to all processes of a training. The training needs
    tiles until its current step is done. So a loading process ignores the first SIGTERM,
    unless the main process is already ending. A second SIGTERM ends it.
    """
    return partial(outlive_signals, ending())


@cache
def ending() -> Flag:
    """Return a flag that becomes 1 when this process ends, before its children are terminated."""
    flag: Flag = RawValue("b", 0)
    # Functions run in reverse order of registration. multiprocessing has registered its own before.
    atexit.register(setattr, flag, "value", 1)
    return flag


def outlive_signals(ending: Flag, worker: int) -> None:
    """Set the signal handlers of a loading process, see `outliving`."""
    del worker
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)

    def end_or_wait(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        if ending.value:
            os._exit(0)  # like the handler of torch that this one replaces

    signal.signal(signal.SIGTERM, end_or_wait)
