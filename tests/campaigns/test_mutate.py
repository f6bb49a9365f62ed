"""A short form of ``python -m campaigns mutate``: some damaged inputs of each kind."""

import os
import sys
from random import Random
from unittest.mock import patch

import pytest
from campaigns.mutate import damage, images

from campaigns import __main__ as campaigns

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_damaged_inputs_do_no_harm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["campaigns", "mutate", "--cases", "3"])
    with patch.dict(os.environ), pytest.raises(SystemExit) as end:
        campaigns.main()
    printed = capsys.readouterr().out
    assert end.value.code == 0, printed
    assert "| tiff " in printed
    assert "| predict " in printed


@pytest.mark.parametrize("kind", images.ENDING)
def test_damage_is_another_file_each_time(kind: str) -> None:
    sound = images.SOUND.get(kind, [])
    files = {images.damaged_file(kind, Random(number)) for number in range(20)}
    assert len(files) > 15
    assert len(files & set(sound)) < 3


def test_damage_to_plain_data_leaves_the_sound_alone() -> None:
    sound = {"a": [1, 2, {"b": "text"}], "c": 0.5}
    found = [damage.rewritten(sound, Random(number)) for number in range(30)]
    assert sound == {"a": [1, 2, {"b": "text"}], "c": 0.5}
    assert sum(one != sound for one in found) > 20
