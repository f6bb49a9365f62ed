"""A command that is disturbed: what is taken for a fault of it."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from campaigns.events import Changes
from campaigns.trials import FaultError
from campaigns.works import Ended

from campaigns import works

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_a_process_is_killed_before_a_change_to_files(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()

    def task() -> int:
        kill = Changes(str(here), 3, lambda: os.kill(os.getpid(), signal.SIGKILL))
        sys.addaudithook(kill)
        for number in range(4):
            (here / str(number)).write_text("")
            (tmp_path / "elsewhere").write_text("")
        return 0

    ended = works.forked(task, tmp_path / "screen")
    assert ended.code == -signal.SIGKILL
    assert sorted(path.name for path in here.iterdir()) == ["0", "1"]


def test_the_screen_and_the_exit_code_are_kept(tmp_path: Path) -> None:
    ended = works.forked(lambda: print("said") or 1, tmp_path / "screen")
    assert (ended.code, ended.last) == (1, "said")
    with pytest.raises(FaultError, match="fails without an error: said"):
        ended.require_clear("a")
    with pytest.raises(FaultError, match="stack trace that ends with ValueError: 7"):
        Ended(0, "Traceback (most recent call last)\nValueError: 7\n").require_clear("a")
    Ended(1, "Error: a.tif is empty.\n").require_clear("a")


def test_processes_that_stay_are_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(works, "GRACE", 0.2)

    def task() -> int:
        if os.fork() == 0:
            time.sleep(60)
        return 0

    with pytest.raises(FaultError, match="processes of the command still run"):
        works.forked(task, tmp_path / "screen")


def test_results_that_are_missing_or_differ_are_faults(tmp_path: Path) -> None:
    works.require_same({"a": "1", "b": "2"}, {"a": "1"})
    with pytest.raises(FaultError, match="a missing"):
        works.require_same({}, {"a": "1"})
    with pytest.raises(FaultError, match="a differ"):
        works.require_same({"a": "2"}, {"a": "1"})
    works.require_nothing_left(tmp_path)
    (tmp_path / ".a.tif.part").touch()
    with pytest.raises(FaultError, match=r"leaves \.a\.tif\.part"):
        works.require_nothing_left(tmp_path)
