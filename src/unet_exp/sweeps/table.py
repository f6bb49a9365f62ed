"""All jobs of a sweep as one table that is drawn anew while they run."""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from unet_exp.evaluation.groups import short_names
from unet_exp.numbers import format_duration, format_score
from unet_exp.records.sweep import STATES, Run, Sweep, counted, read_sweep
from unet_exp.screen import Console
from unet_exp.shown import shown

log = logging.getLogger(__name__)

COLOURS = {
    "running": "cyan", "finished": "green", "failed": "red", "killed": "red", "waiting": "dim",
    "pruned": "dim", "interrupted": "yellow", "preempted": "yellow",
}  # fmt: skip
#: Lines of the screen that no job takes: title, head, rule, what is hidden, counts, the cursor's.
CHROME = 6


class LiveTable:
    """Show the jobs of a sweep's folder, whoever runs them, for as long as the body takes.

    On a terminal this is one table, drawn once a second; elsewhere a line whenever a job comes
    into another state. Nothing that goes wrong in it reaches the body.
    """

    def __init__(self, folder: Path, console: Console | None = None, every: float = 1.0) -> None:
        self.folder, self.every = folder, every
        self.console = console or Console()
        self.live: Live | None = None
        self.states: dict[str, str] | None = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, name="table of jobs", daemon=True)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            with suppress(Exception):  # another display holds the terminal
                live = Live(console=self.console, auto_refresh=False)
                live.start()
                self.live = live
        self.draw()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
        self.draw()
        if self.live:
            with suppress(Exception):  # the terminal is gone
                self.live.stop()

    def watch(self) -> None:
        """Draw until the body ends; where reading takes long, draw less often."""
        pause = self.every
        while not self.ended.wait(pause):
            begun = time.monotonic()
            self.draw()
            pause = max(self.every, 20 * (time.monotonic() - begun))

    def draw(self) -> None:
        """Show how the jobs stand now."""
        try:
            sweep = read_sweep(self.folder)
            if self.live:
                width, height = self.console.size
                self.live.update(table(sweep, height - CHROME, width), refresh=True)
            elif not self.console.is_terminal:
                self.say(sweep)
        except Exception:
            log.debug("The table of jobs could not be drawn.", exc_info=True)

    def say(self, sweep: Sweep) -> None:
        """Print a line for each job whose state is another than before."""
        before, self.states = self.states, {job.name: job.state for job in sweep.jobs}
        if before is None:
            self.line(summed(sweep.jobs))
            return
        names = short_names(sweep.parameters)
        for job in sweep.jobs:
            if job.state != before.get(job.name, "waiting"):
                self.line("  ".join(filter(None, (
                    f"job {job.name} {job.state}", settings(job, names), job.error,
                    "" if job.score is None else f"{sweep.monitor} {format_score(job.score)}",
                    "" if job.state == "running" else format_duration(job.seconds),
                ))))  # fmt: skip

    def line(self, text: str) -> None:
        """Print one line as it is."""
        self.console.print(shown(text), highlight=False, soft_wrap=True)


def table(sweep: Sweep, rows: int, width: int = 100) -> Group:
    """Draw at most ``rows`` jobs, those that run first, and count the others."""
    names = short_names(sweep.parameters)
    best = sweep.ranked[0] if sweep.ranked else None
    listed, hidden = chosen(sweep, max(1, rows))
    grid = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    grid.add_column("job", justify="right", no_wrap=True)
    grid.add_column("settings", ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column("state", no_wrap=True)
    grid.add_column("progress", no_wrap=True, width=18 if width >= 80 else 5)
    grid.add_column(shown(sweep.monitor.rpartition("/")[2]), justify="right", no_wrap=True)
    grid.add_column("time", justify="right", no_wrap=True)
    for job in listed:
        text = settings(job, names) + (f"  {job.error}" if job.error else "")
        score = Text(format_score(job.score), "bold green" if job is best else "")
        state = Text(shown(job.state), COLOURS.get(job.state, ""))
        row = (shown(job.name), Text(shown(text)), state)
        grid.add_row(*row, progress(job, width), score, duration(job))
    told = [Text(f"and {summed(hidden, 'more')}", "dim")] if hidden else []
    end = Text(shown(summed(sweep.jobs)))
    if best:
        end.append(shown(f"; best: job {best.name}, {sweep.monitor} {format_score(best.score)}"))
    end.no_wrap, end.overflow = True, "ellipsis"
    title = Text(shown(sweep.name), "bold", no_wrap=True, overflow="ellipsis")
    return Group(title, grid, *told, end)


def chosen(sweep: Sweep, rows: int) -> tuple[list[Run], list[Run]]:
    """Return which jobs are shown and which are not: by state, then by score, then in order."""
    places = {job.name: place for place, job in enumerate(sweep.ranked)}
    last = len(sweep.jobs)
    order = sorted(
        sweep.jobs,
        key=lambda job: (
            STATES.index(job.state) if job.state in STATES else len(STATES),
            places.get(job.name, last),
        ),
    )
    return order[:rows], order[rows:]


def progress(job: Run, width: int = 100) -> Table | Text:
    """Draw a bar and the percentage; on a narrow screen the percentage alone."""
    percentage = Text(f"{100 * job.progress:.0f} %" if job.steps or job.progress else "")
    if width < 80 or not percentage:
        return percentage
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=12)
    grid.add_column(justify="right", width=5)
    grid.add_row(ProgressBar(total=1.0, completed=job.progress, width=12), percentage)
    return grid


def duration(job: Run) -> str:
    """Say how much time is left, or of an ended job how long it took."""
    if job.state == "running":
        return f"{format_duration(job.left)} left" if job.left is not None else ""
    return format_duration(job.seconds)


def settings(job: Run, names: dict[str, str]) -> str:
    """Write a job's settings by the short names of the keys."""
    return " ".join(f"{names.get(key, key)}={value}" for key, value in job.values.items())


def summed(jobs: Sequence[Run], kind: str = "") -> str:
    """Count jobs, and how many are in each state.

    >>> summed([Run("0", Path("0")), Run("1", Path("1"), state="failed")])
    '2 jobs: 1 failed, 1 waiting'
    """
    states = ", ".join(f"{count} {state}" for state, count in counted(jobs).items())
    noun = "job" if len(jobs) == 1 else "jobs"
    return f"{len(jobs)} {kind + ' ' if kind else ''}{noun}" + (f": {states}" if states else "")
