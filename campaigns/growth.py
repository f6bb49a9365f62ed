"""How the time and the memory of a task grow with the size of its input."""

import json
import math
import resource
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from campaigns import works
from campaigns.trials import FaultError
from campaigns.watched import count_memory_anew, field_of_status

#: The parts of the full size that are measured. The first one is the floor: it is subtracted.
PARTS = (1 / 64, 1 / 8, 1 / 4, 1.0)
#: The largest exponent of linear growth. From 1/8 to the full size, n log n gives 1.1, a task that
#: is quadratic for half of its time 1.28, and noise of 20 % adds 0.09.
MOST = 1.2
#: Seconds and bytes above the floor from which on a value is more than noise.
SECONDS, MEMORY = 0.5, 2**24
#: Seconds that a task may take on a machine with other work.
PATIENCE = 3600.0


@dataclass(frozen=True)
class Load:
    """A task whose input may have any size.

    Attributes
    ----------
    full
        The size of a full run.
    prepare
        Makes the input of a size in an empty folder.
    task
        Works on the input of a size. It runs in a process of its own; another exit code than 0 is
        a fault.
    """

    full: int
    prepare: Callable[[Path, int], object]
    task: Callable[[Path, int], int]


@dataclass(frozen=True)
class Point:
    """The size of an input, and the processor's seconds and bytes of memory that it took."""

    size: int
    seconds: float
    memory: int


def growing(load: Load, share: float) -> Callable[[Random, Path], str]:
    """Return the trial that a task grows linearly, up to a share of its full size."""

    def trial(rng: Random, folder: Path) -> str:
        full = max(8, round(share * load.full))
        points = [measured(load, folder, max(1, round(part * full))) for part in PARTS]
        told, steep = judged(points)
        if steep:
            raise FaultError(f"grows faster than its input: {told}")
        return told

    return trial


def measured(load: Load, folder: Path, size: int) -> Point:
    """Prepare an input, run the task on it in a new process, and remove all files again."""
    here, record = folder / "here", folder / "measured.json"
    here.mkdir()
    load.prepare(here, size)

    def task() -> int:
        count_memory_anew()
        before, start = field_of_status("VmRSS"), spent()
        code = load.task(here, size)
        facts = [spent() - start, max(0, field_of_status("VmHWM") - before)]
        record.write_text(json.dumps(facts))
        return code

    ended = works.forked(task, folder / "screen.txt", PATIENCE)
    shutil.rmtree(here)
    if ended.code:
        raise FaultError(f"size {size}: exit code {ended.code}: {ended.screen[-300:]}")
    return Point(size, *json.loads(record.read_text()))


def spent() -> float:
    """Seconds of the processor that this process and its ended children have taken."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def judged(points: Sequence[Point]) -> tuple[str, bool]:
    """Return the measured growth in words, and whether it is faster than linear."""
    last = points[-1]
    exponents = {
        f"{last.seconds:.1f} s": exponent([(p.size, p.seconds) for p in points], SECONDS),
        f"{last.memory / 2**20:.0f} MiB": exponent([(p.size, p.memory) for p in points], MEMORY),
    }
    told = [f"{k} (n^{v:.2f})" if v is not None else f"{k} (-)" for k, v in exponents.items()]
    steep = any(v is not None and v > MOST for v in exponents.values())
    return f"n = {last.size:,}: {', '.join(told)}", steep


def exponent(points: Sequence[tuple[int, float]], noise: float) -> float | None:
    """Return the slope of a line through logarithms, of sizes and values above the first point.

    It is None if fewer than two values are above the first one by more than the noise.

    >>> round(exponent([(1, 5.5), (8, 9), (64, 37)], 0.1), 2), exponent([(1, 5), (9, 5.1)], 0.2)
    (1.0, None)
    """
    (first, floor), *others = points
    known = [(size - first, value - floor) for size, value in others if value - floor > noise]
    if len(known) < 2:
        return None
    x, y = np.log(np.array(known)).T
    slope = float(np.polyfit(x, y, 1)[0])
    return slope if math.isfinite(slope) else None
