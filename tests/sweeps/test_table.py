import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from tests.fixtures.drawn_sweep import finished, write
from unet_exp.records.sweep import read_sweep
from unet_exp.sweeps import table
from unet_exp.sweeps.table import LiveTable


def screen(terminal: bool, width: int = 110, height: int = 30) -> tuple[io.StringIO, Console]:
    text = io.StringIO()
    return text, Console(file=text, force_terminal=terminal, width=width, height=height)


def lines(folder: Path, rows: int, width: int = 110) -> list[str]:
    text, console = screen(False, width)
    console.print(table.table(read_sweep(folder), rows, width))
    return [line.rstrip() for line in text.getvalue().splitlines()]


def test_jobs_that_run_come_first_and_then_failures_and_the_best(drawn: Path) -> None:
    title, head, *jobs, end = lines(drawn, 20)
    assert title == "hela/2026-01-31_12-00-00"
    assert head.split() == ["job", "settings", "state", "progress", "seg", "time"]
    assert [line.split()[0] for line in jobs] == ["5", "4", "1", "3", "0", "2", "6"]
    assert jobs[0].split()[1:5] == ["depth=4", "lr=0.1", "seed=0", "running"]
    assert jobs[0].split()[-5:] == ["25", "%", "0.1250", "1:00", "left"]
    assert "ValueError: A side of 48 pixels" in jobs[1]
    assert jobs[2].split()[-4:] == ["100", "%", "0.7500", "1:02"]
    assert end == (
        "7 jobs: 1 running, 1 failed, 4 finished, 1 waiting; best: job 1, val/seg 0.7500"
    )


@pytest.mark.parametrize("width", [60, 110])
def test_jobs_without_room_on_the_screen_are_counted(drawn: Path, width: int) -> None:
    _, _, *jobs, rest, _ = lines(drawn, 3, width)
    assert [line.split()[0] for line in jobs] == ["5", "4", "1"]
    assert rest == "and 4 more jobs: 3 finished, 1 waiting"


def test_a_terminal_gets_a_table_that_fits(drawn: Path) -> None:
    text, console = screen(True, height=9)
    with LiveTable(drawn, console, every=0.01):
        time.sleep(0.2)
    final = text.getvalue().rpartition("hela/2026")[2]
    assert "and 4 more" in final
    assert final.count("\n") < 9


def test_a_file_gets_a_line_when_a_state_changes(drawn: Path) -> None:
    text, console = screen(False)
    with LiveTable(drawn, console, every=0.01):
        write(drawn / "6" / "summary.json", {"state": "running"})
        time.sleep(0.3)
        finished(drawn / "6", 0.875)
    assert text.getvalue().splitlines() == [
        "7 jobs: 1 running, 1 failed, 4 finished, 1 waiting",
        "job 6 running  depth=4 lr=0.1 seed=1",
        "job 6 finished  depth=4 lr=0.1 seed=1  val/seg 0.8750  1:02",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_errors_of_the_table_do_not_reach_the_body(drawn: Path, terminal: bool) -> None:
    text, console = screen(terminal)
    jobs = json.loads((drawn / "sweep.json").read_text())
    with LiveTable(drawn, console, every=0.01):
        (drawn / "sweep.json").write_text("{")
        time.sleep(0.05)
        text.close()  # as a terminal that went away
        write(drawn / "sweep.json", jobs)
        time.sleep(0.05)
        reached = True
    assert reached


def test_an_error_of_the_body_is_raised(drawn: Path) -> None:
    with pytest.raises(KeyboardInterrupt), LiveTable(drawn, screen(True)[1]):
        raise KeyboardInterrupt


def test_the_reason_why_a_job_waits_is_shown(drawn: Path) -> None:
    text, console = screen(False)
    shown = LiveTable(drawn, console)
    shown.draw()
    write(drawn / "queue.json", {"waiting": {"5": "BeginTime"}})
    shown.draw()
    assert "job 5 waiting  depth=4 lr=0.1 seed=0  SLURM: BeginTime" in text.getvalue()
    (line,) = (line for line in lines(drawn, 20) if line.split()[0] == "5")
    assert "waiting" in line
    assert "SLURM: BeginTime" in line
