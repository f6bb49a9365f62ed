"""The processes that load tiles: how many, and when they end."""

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
    """A number that several processes see, without a lock: a signal's handler may wait for none."""

    value: int


def default_workers() -> int:
    """Return the number of loading processes: none without a GPU."""
    return min(8, core_count() - 1) if torch.cuda.is_available() else 0


def outliving() -> Callable[[int], None]:
    """Return a loader's ``worker_init_fn``: a loading process works on when all are asked to stop.

    A scheduler, or Ctrl-C, asks all processes of a training, which still needs its tiles until the
    step at hand is done. So the first SIGTERM counts only when this process, which loads for
    itself, is at its own end; the second always does.
    """
    return partial(outlive_signals, ending())


@cache
def ending() -> Flag:
    """Return what this process sets before multiprocessing asks its children to end."""
    flag: Flag = RawValue("b", 0)
    # What is registered last runs first, and multiprocessing has registered already.
    atexit.register(setattr, flag, "value", 1)
    return flag


def outlive_signals(ending: Flag, worker: int) -> None:
    """Take signals, in a loading process, as `outliving` says."""
    del worker
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)

    def end_or_wait(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        if ending.value:
            os._exit(0)  # as by the handler of torch, which this one replaces

    signal.signal(signal.SIGTERM, end_or_wait)
