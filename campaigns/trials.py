"""A campaign's parts: kinds of cases, each a trial that is repeated with other random numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol


class FaultError(Exception):
    """What a trial has found; the message says what was done and what came of it."""


@dataclass(frozen=True)
class Kind:
    """A kind of cases.

    Attributes
    ----------
    trial
        Takes random numbers and an empty folder that is also the current one. Any exception that
        it raises is a fault. It may return a note for the table.
    every
        The kind is tried in one round of so many, since some take longer than others.
    """

    trial: Callable[[Random, Path], str | None]
    every: int = 1


@dataclass(frozen=True)
class Limits:
    """What a case may take: seconds, and bytes of memory more than before it; None: any."""

    seconds: float
    memory: int | None = None


@dataclass(frozen=True)
class Case:
    """One trial of a campaign; its random numbers follow from seed, kind and number."""

    campaign: str
    seed: int
    kind: str
    number: int
    share: float = 1.0

    @property
    def random(self) -> Random:
        return Random(f"{self.seed} {self.kind} {self.number}")  # noqa: S311 - to be repeated

    @property
    def command(self) -> str:
        """What repeats it."""
        return (
            f"python -m campaigns {self.campaign} --seed {self.seed} --only {self.kind} "
            f"--case {self.number}"
        ) + (f" --share {self.share}" if self.share != 1 else "")


@dataclass
class Outcome:
    """What came of a case."""

    fault: str | None
    seconds: float = 0.0
    memory: int = 0
    note: str = ""


@dataclass
class Tally:
    """What came of all cases of a kind."""

    cases: int = 0
    faults: int = 0
    longest: float = 0.0
    memory: int = 0
    said: list[str] = field(default_factory=list)
    note: str = ""

    def add(self, outcome: Outcome) -> None:
        self.cases += 1
        self.longest = max(self.longest, outcome.seconds)
        self.memory = max(self.memory, outcome.memory)
        self.note = outcome.note or self.note
        if outcome.fault:
            self.faults += 1
            self.said.append(outcome.fault)

    def cells(self, kind: str) -> tuple[str, ...]:
        return (
            kind,
            f"{self.cases:,}",
            str(self.faults),
            f"{self.longest:.1f} s",
            f"{self.memory / 2**20:.0f} MiB",
        )


HEADER = ("kind", "cases", "faults", "longest", "memory")


class Campaign(Protocol):
    """A module of this package that is run by its name."""

    __doc__: str
    CASES: int
    """Rounds of a full run."""
    LIMITS: Limits

    def kinds(self, place: Path, share: float) -> Mapping[str, Kind]:
        """Prepare in an empty folder what all cases need, and return the kinds.

        ``share`` is that of the full size of inputs; only a campaign of load heeds it.
        """
        ...
