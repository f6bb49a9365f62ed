"""Commands of several processes: what is killed of them, and what is taken for a fault."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from campaigns.events import Seen
from campaigns.trials import FaultError

from campaigns import families, works

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_a_change_by_any_process_is_seen(tmp_path: Path) -> None:
    here, told = tmp_path / "here", []
    here.mkdir()
    seen = Seen(here, 2, told.append)
    seen(7)
    assert (seen.count, told) == (0, [])
    for number in range(3):
        (here / str(number)).touch()
        seen(7)
        seen(7)
    assert (seen.count, told) == (3, [7])


@pytest.mark.parametrize(
    ("victim", "code"), [("command", None), ("child", 3), ("all", -signal.SIGKILL)]
)
def test_the_victim_is_killed_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str, code: int | None
) -> None:
    if victim == "command":
        monkeypatch.setattr(works, "GRACE", 0.5)
    here = tmp_path / "here"
    here.mkdir()

    def task() -> int:
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
            (here / "pid").write_text(str(child.pid))
            return 3 if child.wait() == -signal.SIGKILL else 4

    act = Seen(here, 1, lambda pid: families.kill(pid, victim, Random(0)))
    if victim == "command":
        with pytest.raises(FaultError, match="processes of the command still run"):
            works.forked(task, tmp_path / "screen", watch=act)
    else:
        ended = works.forked(task, tmp_path / "screen", watch=act)
        assert ended.code == code


def test_a_process_that_goes_on_elsewhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "GRACE", 0.2)
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    env = {**os.environ, "UNET_EXP_CACHE": str(tmp_path / "cache")}
    families.require_quiet(tmp_path, "killed")
    with subprocess.Popen(words, env=env, start_new_session=True) as process:
        time.sleep(0.1)
        with pytest.raises(FaultError, match=r"killed: still run after 0 s: .*sleep\(60\)"):
            families.require_quiet(tmp_path, "killed")
        assert process.wait(10) == -signal.SIGKILL
