"""Control characters in names and messages do not reach the terminal."""

import io
import logging
import sys
from pathlib import Path

import pytest

from unet_exp.shown import screened, shown, shown_lines

#: Colours, a title of the window, a link, a cleared line, C1, DEL, directions, half a character.
ACTIVE = (
    "\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\r\x1b[2K", "\x9b31m", "\x7f",
    "\x08", "\u202e", "\u2066", "\u2028", "\udcff", "\x00", "\ufeff", "\U000e0041",
)  # fmt: skip
#: What nobody sees: two names that differ in it alone look the same.
UNSEEN = (
    "\xad", "\u034f", "\u115f", "\u1160", "\u17b4", "\u180b", "\u180e", "\u200b", "\u200c",
    "\u200d", "\u2060", "\u2061", "\u2064", "\u206a", "\u206f", "\u3164", "\ufe00", "\ufe0e",
    "\ufe0f", "\uffa0", "\ufff9", "\U0001bca0", "\U0001d173", "\U000e0101", "\U000e01ef",
)  # fmt: skip


#: A heart, a family, a flag of two signs, a keycap; Persian, and Hindi with a joiner.
OF_SIGNS = (
    "\u2764\ufe0f", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f3f3\ufe0f\u200d\U0001f308",
    "1\ufe0f\u20e3", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937",
)  # fmt: skip


def acts(text: str) -> list[str]:
    return [c for c in text if c != "\n" and (not c.isprintable()) and c != " "]


@pytest.mark.parametrize("active", ACTIVE)
def test_control_characters_become_visible(active: str) -> None:
    told = shown(f"a{active}b.tif")
    assert not acts(told)
    assert told.startswith("a\\")
    assert told.endswith("b.tif")
    assert not acts(shown_lines(f"a{active}b"))


@pytest.mark.parametrize("unseen", UNSEEN)
def test_invisible_characters_become_visible(unseen: str) -> None:
    escaped = unseen.encode("unicode_escape").decode()
    assert shown(f"a{unseen}b") == shown_lines(f"a{unseen}b") == f"a{escaped}b"
    assert shown(f"1{unseen}") == f"1{escaped}"


def test_names_of_any_script_stay() -> None:
    for name in ("Zellkern-µm.tif", "細胞.tif", "e\u0301.png", "سلول.tif", "👩‍🔬.png", *OF_SIGNS):
        assert shown(name) == shown_lines(name) == name


def test_all_that_is_printed_logged_or_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    factory, name = logging.getLogRecordFactory(), f"x{ACTIVE[0]}{ACTIVE[7]}\nError: y"
    with screened():
        handler = logging.StreamHandler(sys.stderr)
        log = logging.getLogger("unet_exp.test")
        log.addHandler(handler)
        print(name)
        print("\r50 %", end="")
        log.error("%s and %d", Path(name), 5)
        try:
            raise ValueError(name)
        except ValueError:
            log.exception("http://me:PW@host")
        print(name, file=sys.stderr)
        log.removeHandler(handler)
    assert not acts(out.getvalue().replace("\r50 %", ""))
    assert out.getvalue() == "x\\x1b[31m\\u202e\nError: y\n\r50 %"
    assert not acts(err.getvalue())
    assert err.getvalue().startswith(
        "x\\x1b[31m\\u202e\\nError: y and 5\nhttp://me:***@host\nTrace"
    )
    assert (sys.stdout, sys.stderr, logging.getLogRecordFactory()) == (out, err, factory)
