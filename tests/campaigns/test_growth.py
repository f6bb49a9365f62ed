"""Growth is a number, and one that is faster than the input is a fault."""

import sys
from mmap import PAGESIZE, mmap
from pathlib import Path
from random import Random

import pytest
from campaigns.growth import MOST, Load, Point, exponent, growing, judged
from campaigns.trials import FaultError

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
SIZES = (100, 800, 1600, 6400)


def points(seconds: float, power: float) -> list[Point]:
    """Points of a task that takes 3 s and 50 MiB, and more by a power of its size."""
    return [Point(n, 3 + seconds * (n / 6400) ** power, 50 * 2**20) for n in SIZES]


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_that_of_the_growth(power: float) -> None:
    found = exponent([(n, 5 + 0.01 * (n - 100) ** power) for n in SIZES], 0.05)
    assert found == pytest.approx(power, abs=1e-6)


def test_growth_within_the_noise_has_no_exponent() -> None:
    assert exponent([(1, 5.0), (8, 5.1), (16, 4.9), (64, 5.3)], 0.2) is None


@pytest.mark.parametrize(("power", "steep"), [(1.0, False), (1.1, False), (1.5, True), (2, True)])
def test_faster_growth_than_that_of_the_input_is_judged(power: float, steep: bool) -> None:
    told, found = judged(points(20, power))
    assert found == steep
    assert told.startswith("n = 6,400: 23.0 s (n^")
    assert told.endswith("50 MiB (-)")


def test_a_task_that_is_quadratic_for_half_of_its_time_is_found() -> None:
    mixed = [(n, n / 6400 + (n / 6400) ** 2) for n in SIZES]
    found = exponent(mixed, 0.01)
    assert found is not None
    assert found > MOST


@pytest.mark.skipif(sys.platform != "linux", reason="memory by Linux's record")
def test_memory_that_grows_is_measured_in_a_new_process(tmp_path: Path) -> None:
    def task(here: Path, size: int) -> int:
        assert (here / "input").read_text() == str(size)
        with mmap(-1, size * 2**20) as area:  # never from memory that this process kept
            area[::PAGESIZE] = bytes(len(area) // PAGESIZE)
        return 0

    load = Load(256, lambda here, size: (here / "input").write_text(str(size)), task)
    told = growing(load, 0.5)(Random(0), tmp_path)
    assert told.startswith("n = 128: ")
    assert "MiB (n^1.0" in told or "MiB (n^0.9" in told
    assert not (tmp_path / "here").exists()


def test_a_task_that_fails_is_a_fault(tmp_path: Path) -> None:
    def task(here: Path, size: int) -> int:
        print("Error: too many")
        return 1

    with pytest.raises(FaultError, match=r"size 1: exit code 1: Error: too many"):
        growing(Load(8, lambda here, size: None, task), 1.0)(Random(0), tmp_path)
