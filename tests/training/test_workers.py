import subprocess
import sys

import pytest
import torch

from unet_exp.training.workers import default_workers

#: A loader that its script never lets go of, and whose process gets signals while it has work.
SCRIPT = """
import os, signal, sys, time
from torch.utils.data import DataLoader
from unet_exp.training.workers import outliving

loader = DataLoader(range(50), num_workers=1, persistent_workers=True, worker_init_fn=outliving())
batches = iter(loader)
taken = [next(batches)]
for name in sys.argv[1:]:
    os.kill(batches._workers[0].pid, getattr(signal, name))
    time.sleep(0.2)
    taken.append(next(batches))
print(len(taken + list(batches)))
"""


def run(*signals: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", SCRIPT, *signals]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("signals", [(), ("SIGUSR1", "SIGUSR2", "SIGINT", "SIGINT"), ("SIGTERM",)])
def test_a_loading_process_outlives_signals_but_not_its_parent(signals: tuple[str, ...]) -> None:
    done = run(*signals)
    assert (done.returncode, done.stdout, done.stderr) == (0, "50\n", "")


def test_a_loading_process_ends_when_asked_twice() -> None:
    done = run("SIGTERM", "SIGTERM")
    assert done.returncode != 0
    assert "RuntimeError: DataLoader worker" in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="This machine has a GPU.")
def test_without_a_gpu_nothing_loads_beside_a_training() -> None:
    assert default_workers() == 0
