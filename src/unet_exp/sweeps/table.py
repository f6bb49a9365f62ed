"""A live table of a sweep's jobs, redrawn while they run."""

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

from unet_exp.numbers import format_duration, format_score
from unet_exp.records.groups import short_names
from unet_exp.records.sweep import STATES, Run, Sweep, counted, read_sweep
from unet_exp.screen import Console
from unet_exp.shown import shown

log = logging.getLogger(__name__)

COLOURS = {
    "running": "cyan", "finished": "green", "failed": "red", "killed": "red", "waiting": "dim",
    "pruned": "dim", "interrupted": "yellow", "preempted": "yellow",
}  # fmt: skip
#: Lines of the screen without a job: title, header, rule, hidden jobs, counts, cursor.
CHROME = 6


class LiveTable:
    """Show the jobs in a sweep's folder while the body of a ``with`` statement runs.

    On a terminal, it redraws a table once a second. Otherwise, it prints a line when the state of a
    job changes. Its own errors never reach the body.
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
        """Draw until the body ends, less often if the folder is slow to read."""
        pause = self.every
        while not self.ended.wait(pause):
            begun = time.monotonic()
            self.draw()
            pause = max(self.every, 20 * (time.monotonic() - begun))

    def draw(self) -> None:
        """Show the current state of the jobs."""
        try:
            sweep = read_sweep(self.folder)
            if self.live:
                width, height = self.console.size
                self.live.update(table(sweep, height - CHROME, width), refresh=True)
            elif not self.console.is_terminal:
                self.print_changes(sweep)
        except Exception:
            log.debug("The table of jobs could not be drawn.", exc_info=True)

    def print_changes(self, sweep: Sweep) -> None:
        """Print a line for each job whose state has changed."""
        before, self.states = self.states, {job.name: job.state for job in sweep.jobs}
        if before is None:
            lines = [count_jobs(sweep.jobs)]
        else:
            names = short_names(sweep.parameters)
            changed = (job for job in sweep.jobs if job.state != before.get(job.name, "waiting"))
            lines = ["  ".join(filter(None, (
                f"job {job.name} {job.state}", settings(job, names), why(job),
                "" if job.score is None else f"{sweep.monitor} {format_score(job.score)}",
                "" if job.state == "running" else format_duration(job.seconds),
            ))) for job in changed]  # fmt: skip
        for line in lines:
            self.console.print(shown(line), highlight=False, soft_wrap=True)


def table(sweep: Sweep, rows: int, width: int = 100) -> Group:
    """Draw at most ``rows`` jobs and count the others."""
    names = short_names(sweep.parameters)
    best = sweep.ranked[0] if sweep.ranked else None
    jobs = by_interest(sweep)
    listed, hidden = jobs[: max(1, rows)], jobs[max(1, rows) :]
    grid = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    grid.add_column("job", justify="right", no_wrap=True)
    grid.add_column("settings", ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_column("state", no_wrap=True)
    grid.add_column("progress", no_wrap=True, width=18 if width >= 80 else 5)
    grid.add_column(shown(sweep.monitor.rpartition("/")[2]), justify="right", no_wrap=True)
    grid.add_column("time", justify="right", no_wrap=True)
    for job in listed:
        left = f"{format_duration(job.left)} left" if job.left is not None else ""
        grid.add_row(
            shown(job.name),
            Text(shown("  ".join(filter(None, (settings(job, names), why(job)))))),
            Text(shown(job.state), COLOURS.get(job.state, "")),
            progress_bar(job, width),
            Text(format_score(job.score), "bold green" if job is best else ""),
            left if job.state == "running" else format_duration(job.seconds),
        )
    rest = [Text(f"and {count_jobs(hidden, 'more ')}", "dim")] if hidden else []
    end = Text(shown(count_jobs(sweep.jobs)), no_wrap=True, overflow="ellipsis")
    if best:
        end.append(shown(f"; best: job {best.name}, {sweep.monitor} {format_score(best.score)}"))
    title = Text(shown(sweep.name), "bold", no_wrap=True, overflow="ellipsis")
    return Group(title, grid, *rest, end)


def by_interest(sweep: Sweep) -> list[Run]:
    """Return the jobs by state (running jobs first), then by score (the best first)."""
    states = {state: place for place, state in enumerate(STATES)}
    ranks = {job.name: rank for rank, job in enumerate(sweep.ranked)}
    return sorted(sweep.jobs, key=lambda job: (
        states.get(job.state, len(states)), ranks.get(job.name, len(ranks))
    ))  # fmt: skip


def progress_bar(job: Run, width: int) -> Table | Text:
    """Draw a bar and the percentage; on a narrow screen only the percentage."""
    percentage = Text(f"{100 * job.progress:.0f} %" if job.steps or job.progress else "")
    if width < 80 or not percentage:
        return percentage
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=12)
    grid.add_column(justify="right", width=5)
    grid.add_row(ProgressBar(total=1.0, completed=job.progress, width=12), percentage)
    return grid


def settings(job: Run, names: dict[str, str]) -> str:
    """Return a job's settings with the short names of their keys."""
    return " ".join(f"{names.get(key, key)}={value}" for key, value in job.values.items())


def why(job: Run) -> str:
    """Return the error of a job, or why it waits.

    >>> why(Run("0", Path("0"), waits_for="Priority"))
    'SLURM: Priority'
    """
    return f"SLURM: {job.waits_for}" if job.waits_for else job.error


def count_jobs(jobs: Sequence[Run], kind: str = "") -> str:
    """Return the number of jobs, and the number in each state, as text.

    >>> count_jobs([Run("0", Path("0")), Run("1", Path("1"), state="failed")])
    '2 jobs: 1 failed, 1 waiting'
    """
    states = ", ".join(f"{count} {state}" for state, count in counted(jobs).items())
    noun = "job" if len(jobs) == 1 else "jobs"
    return f"{len(jobs)} {kind}{noun}" + (f": {states}" if states else "")
