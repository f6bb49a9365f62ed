import time
from collections.abc import Iterator

import pytest

from unet_exp.training.pace import mean_seconds


def events(*seconds: float) -> Iterator[None]:
    for duration in seconds:
        time.sleep(duration)
        yield


def test_the_first_events_are_not_counted() -> None:
    assert mean_seconds(events(0.5, 0.02, 0.02, 0.02), 1, 1) == pytest.approx(0.02, abs=0.015)


def test_a_single_event_is_counted() -> None:
    assert mean_seconds(events(0.1), 1, 1, warm_up=2) == pytest.approx(0.1, abs=0.05)


def test_measuring_ends_after_the_time_and_the_number() -> None:
    endless = (None for _ in iter(lambda: time.sleep(0.01), 1))
    start = time.perf_counter()
    mean_seconds(endless, 0.1, 3)
    assert time.perf_counter() - start < 2
