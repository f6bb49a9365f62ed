"""A short form of ``python -m campaigns kill``: commands that are killed and repeated."""

import os
import sys
from unittest.mock import patch

import pytest

from campaigns import __main__ as campaigns

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_killed_commands_are_finished_by_the_same_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["kill", "--cases", "1", "--only", "predict"]
    monkeypatch.setattr(sys, "argv", ["campaigns", *words])
    with patch.dict(os.environ), pytest.raises(SystemExit) as end:
        campaigns.main()
    printed = capsys.readouterr().out
    assert end.value.code == 0, printed
    assert "| predict " in printed
