"""Calls that would take too large a part of the time are left out."""

import time

import pytest

from unet_exp.seldom import Seldom


class Clock:
    """A clock that stands still except while a function works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def work(self, seconds: float) -> None:
        self.now += seconds


def test_slow_calls_take_a_twentieth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = Clock(monkeypatch), []
    seldom = Seldom(lambda: (calls.append(clock.now), clock.work(2.0)))
    for _ in range(400):
        seldom()
        clock.work(1.0)
    assert calls == [100.0 + 40 * number for number in range(11)]


def test_calls_that_take_no_time_are_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = Clock(monkeypatch), []
    seldom = Seldom(lambda: calls.append(clock.now))
    for _ in range(3):
        seldom()
    assert len(calls) == 3


def test_a_failed_call_counts_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    def fail() -> None:
        clock.work(1.0)
        raise OSError("full")

    seldom = Seldom(fail)
    with pytest.raises(OSError, match="full"):
        seldom()
    seldom()
