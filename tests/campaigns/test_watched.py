"""What the campaigns hold to be a fault is one, and is told with the command that repeats it."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from campaigns.trials import Case, FaultError, Kind, Limits
from campaigns.watched import Watched

from campaigns import watched

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory by Linux's record"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
CASE = Case("mutate", 0, "one", 0)


def found(trial: Callable[[Random, Path], None], folder: Path, seconds: float = 5) -> str | None:
    with Watched({"one": Kind(trial)}, folder.resolve(), Limits(seconds, 2**26)) as process:
        first, second = (process.run(CASE).fault for _ in range(2))
        assert (first is None) == (second is None), "a fault is repeated"
    assert not (folder / "case").exists()
    return first


def told(rng: Random, folder: Path) -> None:
    raise FaultError("the result is wrong")


def busy(rng: Random, folder: Path) -> None:
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


TRIALS: dict[str, tuple[Callable[[Random, Path], object], str]] = {
    "told": (told, "the result is wrong"),
    "raises": (lambda rng, folder: {}["a"], "raises KeyError: 'a'"),
    "exits": (lambda rng, folder: os._exit(3), "its process ends with exit code 3"),
    "waits": (lambda rng, folder: time.sleep(60), "has not ended after"),
    "works": (busy, "takes 0."),
    "fills": (lambda rng, folder: bytearray(2**27), "MiB of memory"),
    "writes": (
        lambda rng, folder: Path(folder.parent, "out").write_text(""),
        "acts outside of its folder: open",
    ),
    "starts": (lambda rng, folder: subprocess.run(["true"]), "acts outside of its folder: subp"),
    "leaves": (lambda rng, folder: tempfile.mkstemp(), "in the folder for temporary files"),
    "prints": (
        lambda rng, folder: print("Traceback (most recent call last):\nValueError: 7"),
        "prints a stack trace that ends with ValueError: 7",
    ),
}


@pytest.mark.parametrize("name", TRIALS)
def test_a_fault_is_found(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trial, words = TRIALS[name]
    monkeypatch.setattr(watched, "WAIT", 3 if name == "waits" else 100)
    seconds = 0.2 if name in ("waits", "works") else 5
    fault = found(trial, tmp_path, seconds)  # pyright: ignore[reportArgumentType]
    assert fault is not None
    assert words in fault


def test_a_sound_case_is_none(tmp_path: Path) -> None:
    def trial(rng: Random, folder: Path) -> None:
        assert Path.cwd() == folder
        (folder / "result").write_text("1")

    assert found(trial, tmp_path) is None


def test_a_case_has_the_same_numbers_again() -> None:
    first, again, other = (Case("mutate", 0, "png", n).random.random() for n in (7, 7, 8))
    assert first == again != other
    assert Case("mutate", 5, "png", 7).command.endswith("mutate --seed 5 --only png --case 7")
