"""The table of a campaign, on the screen and in CAMPAIGNS.md."""

import argparse
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from benchmarks.__main__ import machine
from benchmarks.measuring import table as markdown

from campaigns.trials import HEADER, Tally


def table(tallies: Mapping[str, Tally]) -> str:
    """Markdown: a row for each kind, and one for all."""
    rows = [tally.cells(kind) for kind, tally in tallies.items()]
    whole = Tally(
        sum(tally.cases for tally in tallies.values()),
        sum(tally.faults for tally in tallies.values()),
        max((tally.longest for tally in tallies.values()), default=0.0),
        max((tally.memory for tally in tallies.values()), default=0),
    )
    lines = [HEADER, *rows, whole.cells("all")]
    if any(tally.note for tally in tallies.values()):  # these say what was measured
        notes = ["measured", *(tally.note for tally in tallies.values()), ""]
        lines = [(*line[:3], note) for line, note in zip(lines, notes, strict=True)]
    return markdown(lines)


def write(path: Path, given: argparse.Namespace, told: str, tallies: Mapping[str, Tally]) -> None:
    """Replace a campaign's section, up to its table's end; what stands below the table remains."""
    words = f"`python -m campaigns {given.name} --seed {given.seed}`, {date.today()}, {machine()}."
    text = f"## {given.name}\n\n{told.strip()}\n\n{words}\n\n{table(tallies)}\n"
    old = path.read_text() if path.exists() else "# Campaigns\n"
    section = re.compile(rf"^## {given.name}\n(?:(?!## ).*\n)*?\|---.*\n(?:\|.*\n)*", re.M)
    if section.search(old):
        path.write_text(section.sub(lambda _: text, old, count=1))
    else:
        path.write_text(f"{old.rstrip()}\n\n{text}")
