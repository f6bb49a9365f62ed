"""Kills: a command is killed before one of its changes to files, and repeated.

The change is drawn at random, so a kill falls also between a write and its rename. The same command
again must end with the same weights, scores, tables and results as one that was never killed. No
process, no lock and no temporary file may stay. This kills a training with its cache, a sweep of
two jobs, prediction to TIFF and OME-Zarr, evaluation and export, each in one process. Of a training
in two processes, a search, and sweeps on `slurm_local` and `ray`, the command, a process that it
has started, or all of them are killed after a change that is seen from outside.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from campaigns import families, works
from campaigns.events import Changes
from campaigns.trials import FaultError, Kind, Limits
from campaigns.works import Work

CASES = 40
LIMITS = Limits(seconds=100)


def kinds(place: Path, share: float = 1.0) -> dict[str, Kind]:
    """Train a network for the works; each of them is run undisturbed when its first case comes."""
    alone = {name: Kind(killing(work, place)) for name, work in works.all_works(place).items()}
    return alone | {
        name: Kind(families.killing(work, place), every=4)
        for name, work in families.all_families(place).items()
    }


def killing(work: Work, place: Path) -> Callable[[Random, Path], None]:
    """The trial that a killed command is finished by the same one."""

    def trial(rng: Random, folder: Path) -> None:
        expected, here = works.undisturbed(work, place), folder / "here"
        here.mkdir()
        number = rng.randint(1, expected.changes)

        def before() -> None:
            kill = Changes(str(here), number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            sys.addaudithook(kill)

        work.start(here, before)
        what = f"killed before change {number} of {expected.changes} and repeated"
        again = work.start(here)
        again.require_clear(what)
        found = work.results(here)
        if again.code and found != expected.results:
            raise FaultError(f"{what}: ends with exit code {again.code}: {again.last}")
        works.require_same(found, expected.results)
        works.require_nothing_left(here)

    return trial
