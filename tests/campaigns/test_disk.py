"""A short form of ``python -m campaigns disk``: commands on failing disks."""

import os
import sys
from unittest.mock import patch

import pytest

from campaigns import __main__ as campaigns

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_commands_say_what_is_wrong_with_a_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["disk", "--cases", "1", "--only", "predict_full", "predict_no_locks"]
    monkeypatch.setattr(sys, "argv", ["campaigns", *words])
    with patch.dict(os.environ), pytest.raises(SystemExit) as end:
        campaigns.main()
    printed = capsys.readouterr().out
    assert end.value.code == 0, printed
    assert "| predict_full " in printed
