"""Faults on purpose: ``python -m campaigns NAME [--hours H] [--seed S] [--write]``."""

import argparse
import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from campaigns.results import table, write
from campaigns.trials import Campaign, Case, Kind, Tally
from campaigns.watched import Watched

NAMES = ("mutate", "kill", "disk", "load")
RESULTS = Path(__file__).parent / "CAMPAIGNS.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m campaigns", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--hours", type=float, default=1.0, help="after which no case begins")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, help="of each kind; usually those of a full run")
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND")
    parser.add_argument("--case", type=int, help="one alone, to repeat it")
    parser.add_argument("--share", type=float, default=1.0, help="load: of the full sizes")
    parser.add_argument("--write", action="store_true", help="put the table into CAMPAIGNS.md")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no file stays
    tallies = run(given)
    print(table(tallies))
    if given.write:
        told = importlib.import_module(f"campaigns.{given.name}").__doc__
        write(RESULTS, given, told or "", tallies)
    sys.exit(any(tally.faults for tally in tallies.values()))


def run(given: argparse.Namespace) -> dict[str, Tally]:
    """Run the cases that the command asks for; print a line for each fault."""
    # A forked process waits forever for threads that only its parent has.
    os.environ.update(OMP_NUM_THREADS="1", OMP_THREAD_LIMIT="1")
    campaign: Campaign = importlib.import_module(f"campaigns.{given.name}")  # pyright: ignore[reportAssignmentType]
    with chdir(Path.cwd()), tempfile.TemporaryDirectory(prefix="campaign-") as name:
        place = Path(name).resolve()
        settle(place)
        with quiet(place / "preparation.txt"):
            kinds = chosen(campaign.kinds(place, given.share), given.only)
        tallies = {kind: Tally() for kind in kinds}
        end = time.monotonic() + 3600 * given.hours
        with Watched(kinds, place, campaign.LIMITS, given.name == "mutate") as watched:
            for case in cases(given, kinds, campaign.CASES):
                if time.monotonic() > end:
                    break
                outcome = watched.run(case)
                tallies[case.kind].add(outcome)
                if outcome.note:
                    print(f"{case.kind}: {outcome.note}", flush=True)
                if outcome.fault:
                    print(f"{case.kind}: {outcome.fault}\n    {case.command}", flush=True)
    return tallies


@contextmanager
def quiet(path: Path) -> Iterator[None]:
    """Let what is printed go into a file; it is shown if the preparation fails."""
    with path.open("w+") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            yield
        except BaseException:
            file.seek(0)
            print(file.read(), file=sys.__stderr__)
            raise


def settle(place: Path) -> None:
    """Let programs keep their own files in the folder of the campaign."""
    os.environ.update(
        HOME=str(place / "home"), UNET_EXP_CACHE=str(place / "cache"), WANDB_MODE="offline",
        MPLCONFIGDIR=str(place / "matplotlib"), COLUMNS="200",
    )  # fmt: skip
    os.environ.pop("UNET_EXP_DATA", None)
    for folder in ("home", "cache"):
        (place / folder).mkdir()


def chosen(kinds: Mapping[str, Kind], only: list[str]) -> dict[str, Kind]:
    if unknown := [name for name in only if name not in kinds]:
        sys.exit(f"There is no kind {unknown[0]}. Give of {', '.join(kinds)}.")
    return {name: kind for name, kind in kinds.items() if name in only or not only}


def cases(given: argparse.Namespace, kinds: dict[str, Kind], usual: int) -> Iterator[Case]:
    """Yield the cases of all kinds in turn."""
    if given.case is not None:
        yield from (Case(given.name, given.seed, kind, given.case, given.share) for kind in kinds)
        return
    for number in range(given.cases or usual):
        for name, kind in kinds.items():
            if number % kind.every == 0:
                yield Case(given.name, given.seed, name, number, given.share)


if __name__ == "__main__":
    main()
